"""Cells and lines of CSV (RFC 4180), with text escaped that a spreadsheet would run as a formula."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Text that a spreadsheet would run as a formula: it begins with one of these characters, possibly after whitespace.
#: Japanese Excel also accepts full-width characters. Text with a leading tab, CR or LF always matches, since
#: spreadsheets drop these characters.
_FORMULA = re.compile(r"[\t\r\n]|[\s\u200b-\u200f\u2060\ufeff]*[=+\-@＝＋－＠]")


def defused(text: str) -> str:
    """Return ``text`` escaped so that no spreadsheet runs it as a formula."""
    # Most text begins with a letter or digit. The pattern is needed only for the rest.
    return f"'{text}" if not text[:1].isalnum() and _FORMULA.match(text) else text


def cell(text: str | None) -> str:
    """Return ``text`` as a cell. It is always in quotes unless it is empty, since that is faster than looking."""
    return '"' + defused(text).replace('"', '""') + '"' if text else ""


def line(texts: Iterable[str | None]) -> str:
    """Return a line of CSV."""
    return ",".join(map(cell, texts)) + "\r\n"
