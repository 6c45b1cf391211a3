"""``messages.parquet`` and ``events.parquet``: the row files as tables for data tools (extra ``parquet``).

The columns are those of the CSV files, but null stays null, times are times, and the leaf is a number. Parquet's texts
are UTF-8, so halves of surrogate pairs are replaced and counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from crm_contact_guard.exports.formats.base import UNKNOWN, Cuts, Made, Row, Rows
from crm_contact_guard.exports.formats.running import child
from crm_contact_guard.proof.canonical import RowKind
from crm_contact_guard.proof.tables import columns

NAMES: Final[dict[RowKind, str]] = {"message": "messages.parquet", "event": "events.parquet"}
_TYPES: Final = {"occurred_at": "time", "recorded_at": "time", "leaf": "number"}
_SURROGATES: Final = dict.fromkeys(range(0xD800, 0xE000), UNKNOWN)


def is_available() -> bool:
    """Whether the extra is installed."""
    return find_spec("pyarrow") is not None


def files(rows: Rows, cuts: Cuts) -> Iterator[Made]:
    """Yield both files."""
    with TemporaryDirectory() as folder:
        for kind, name in NAMES.items():
            path = Path(folder) / name
            names = columns(kind)
            with child("write_parquet", str(path)) as program:
                program.send(_line({column: _TYPES.get(column, "text") for column in names}))
                for row in rows.of(kind):
                    program.send(_line(_values(row, names, cuts)))
                program.end()
            with path.open("rb") as file:
                yield Made(name, iter(lambda file=file: file.read(1 << 16), b""), packed=True)  # type: ignore[misc]


def _values(row: Row, names: tuple[str, ...], cuts: Cuts) -> list[object]:
    withheld = " ".join(name for name in row["proof"]["digests"] if row[name] is None)
    told = {**row, "withheld": withheld, "leaf": row["proof"]["index"]}
    return [_clean(told[name], cuts) for name in names]


def _clean(value: object, cuts: Cuts) -> object:
    # ``isascii`` is quick, and most values pass it.
    return cuts.replace(value, _SURROGATES) if isinstance(value, str) and not value.isascii() else value


def _line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"
