"""Name the value that was altered in a row whose leaf differs.

A leaf is a hash over all open values, so it doesn't show which value differs. If only one value was altered, however,
restoring the original value gives the sealed hash. Values of neighbouring rows, all codes, and times near the one in
the ID are tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import chain
from typing import Any, Final

from django.db import models

from crm_contact_guard.proof import canonical
from crm_contact_guard.proof.canonical import DIGEST_BYTES, OPEN, PERSONAL
from crm_contact_guard.proof.errors import NotCanonical
from crm_contact_guard.record.canonical_sql import HEADERS, MODELS, StoredRow, fetch
from crm_contact_guard.record.sqlite_rows import ODD, is_id

#: Number of rows before and after the altered row that are read for their values.
_AROUND: Final = 50
_SECOND: Final = timedelta(seconds=1)


def misspelled(row: StoredRow) -> str | None:
    """Name the values with a type or format that the application never writes; return None if there are none."""
    values = {**row.open_values(), **row.personal()}
    names = [name for name, value in values.items() if value is not None and value.startswith(ODD)]
    if not names:
        return None
    return f"{' and '.join(names)} {'has' if len(names) == 1 else 'have'} another type or spelling than what was sealed"


def altered_digests(row: StoredRow, sealed: bytes) -> str | None:
    """Return the names of stored digests that differ from the sealed ones although the values are the sealed ones.

    None if this does not explain the fault."""
    names, values = PERSONAL[row.kind], row.personal()
    try:
        genuine = canonical.personal_digests(names, row.salt or b"", values)
    except (NotCanonical, UnicodeEncodeError):
        return None
    # For an emptied value, only the stored digest is left.
    parts = [
        row.digests[at : at + DIGEST_BYTES] if number < len(names) and values[names[number]] is None else
        genuine[at : at + DIGEST_BYTES]
        for number, at in enumerate(range(0, len(genuine), DIGEST_BYTES))
    ]  # fmt: skip
    if sha256(b"\x00" + HEADERS[row.kind] + row.line_bytes() + b"".join(parts)).digest() != sealed:
        return None
    stored = row.digests.ljust(len(genuine), b"\0")
    labels = [*(f"the digest of {name}" for name in names), "the digest of all values"]
    differing = [
        label for number, label in enumerate(labels)
        if stored[number * DIGEST_BYTES : (number + 1) * DIGEST_BYTES] != parts[number]
    ]  # fmt: skip
    if not differing:
        return None
    return f"{' and '.join(differing)} {'differs' if len(differing) == 1 else 'differ'} from what was sealed"


def altered_value(using: str, row: StoredRow, sealed: bytes) -> str | None:
    """Name the open value that differs from the sealed one, and the sealed one; None if they can't be determined."""
    names, lines = OPEN[row.kind], row.line_bytes().removesuffix(b"\n").split(b"\n", len(OPEN[row.kind]) - 1)
    if len(lines) != len(names):
        return None
    known = _known(using, row)
    for at, name in enumerate(names[1:], start=1):
        before = b"\x00" + HEADERS[row.kind] + b"".join(line + b"\n" for line in lines[:at])
        after = b"\n" + b"".join(line + b"\n" for line in lines[at + 1 :]) + row.digests
        start = sha256(before)
        for candidate in _candidates(row, name, known):
            tried = start.copy()
            tried.update(candidate.encode() + after)
            if tried.digest() == sealed:
                was = "null" if candidate == "\t" else repr(candidate)
                return f"{name} differs from what was sealed ({was})"
    return None


def _known(using: str, row: StoredRow) -> dict[str, set[str]]:
    """Return each open column's values in the row and its neighbours. ID columns share the values of all ID columns."""
    model = MODELS[row.kind]
    rows = model._base_manager.using(using)
    key = model._meta.pk.to_python(row.id.hex())
    around = [*rows.filter(pk__lt=key).order_by("-pk")[:_AROUND].values_list("pk", flat=True)]
    around += rows.filter(pk__gt=key).order_by("pk")[:_AROUND].values_list("pk", flat=True)
    values: dict[str, set[str]] = {name: set() for name in OPEN[row.kind]}
    for other in chain([row], fetch(using, row.kind, [found.bytes for found in around]).values()):
        for name, value in other.open_values().items():
            values[name].add("\t" if value is None else value)
    ids = {name for name in values if is_id(_field(row, name)) or name in ("subject_id", "actor")}
    everywhere = set[str]().union(*(values[name] for name in ids))
    return {name: everywhere if name in ids else found for name, found in values.items()}


def _candidates(row: StoredRow, name: str, known: dict[str, set[str]]) -> Iterable[str]:
    field = _field(row, name)
    yield from known[name]
    yield from ("", "\t", *(str(code) for code, _ in field.choices or ()))
    if isinstance(field, models.DateTimeField):
        # ``recorded_at`` is in the millisecond of the ID or slightly later. ``occurred_at`` is in the same range, or a
        # whole second at most an hour away.
        moment = datetime.fromtimestamp((int.from_bytes(row.id, "big") >> 80) / 1000, UTC)
        yield row.open_values()["recorded_at" if name == "occurred_at" else "occurred_at"] or ""
        yield from _times(moment - timedelta(milliseconds=2), timedelta(microseconds=1), 30_000)
        if name == "occurred_at":
            yield from _times(moment.replace(microsecond=0) - 3600 * _SECOND, _SECOND, 7_200)


def _times(start: datetime, step: timedelta, count: int) -> Iterator[str]:
    for number in range(count):
        yield canonical.canonical_time(start + number * step)


def _field(row: StoredRow, name: str) -> Any:
    return MODELS[row.kind]._meta.get_field(name)
