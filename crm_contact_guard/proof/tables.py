"""``messages.csv`` and ``events.csv``: the row files as tables, for spreadsheets.

Each line follows from one line of the row file alone. The verifier therefore writes the tables again from the rows that
it has checked, and compares: a table that says something else is a fault.
"""

import csv
import re
from collections.abc import Mapping
from io import StringIO
from typing import Any, Final

from .canonical import OPEN, PERSONAL, RowKind

__all__ = ["TABLES", "cells", "columns", "csv_line", "defused", "table_header"]

TABLES: Final[Mapping[RowKind, str]] = {"message": "messages.csv", "event": "events.csv"}

#: Text that a spreadsheet would run as a formula: it begins with one of these characters, possibly after whitespace.
#: Japanese Excel also accepts full-width characters. Text with a leading tab, CR or LF always matches, since
#: spreadsheets drop these characters.
_FORMULA: Final = re.compile(r"[\t\r\n]|[\s\u200b-\u200f\u2060\ufeff]*[=+\-@＝＋－＠]")


def columns(kind: RowKind) -> tuple[str, ...]:
    """Return the names of the columns: the open values, the personal values, what is withheld, and the leaf index."""
    return (*OPEN[kind], *PERSONAL[kind], "withheld", "leaf")


def cells(kind: RowKind, members: Mapping[str, Any]) -> list[str]:
    """Return a row's cells. ``members``: the members of its line in the row file, or the same from a parsed row."""
    proof = members["proof"]
    values = [members[name] or "" for name in (*OPEN[kind], *PERSONAL[kind])]
    withheld = [name for name in proof["digests"] if members[name] is None]
    return [*values, " ".join(withheld), str(proof["index"])]


def table_header(kind: RowKind) -> bytes:
    """Return the first line of a table, after a byte order mark, which Excel needs to read UTF-8."""
    return b"\xef\xbb\xbf" + _line(list(columns(kind)))


def csv_line(kind: RowKind, members: Mapping[str, Any]) -> bytes:
    """Return the line of a row (RFC 4180). An apostrophe escapes text that a spreadsheet would run as a formula."""
    return _line([defused(cell) for cell in cells(kind, members)])


def defused(text: str) -> str:
    """Return ``text`` escaped so that no spreadsheet runs it as a formula."""
    return f"'{text}" if not text[:1].isalnum() and _FORMULA.match(text) else text


def _line(values: list[str]) -> bytes:
    out = StringIO()
    csv.writer(out).writerow(values)
    return out.getvalue().encode("utf-8", "replace")
