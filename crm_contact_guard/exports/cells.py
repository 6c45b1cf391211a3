"""Cells and lines of CSV (RFC 4180), with text escaped that a spreadsheet would run as a formula."""

from __future__ import annotations

from collections.abc import Iterable

from crm_contact_guard.proof.tables import defused


def cell(text: str | None) -> str:
    """Return ``text`` as a cell. It is always in quotes unless it is empty, since that is faster than looking."""
    return '"' + defused(text).replace('"', '""') + '"' if text else ""


def line(texts: Iterable[str | None]) -> str:
    """Return a line of CSV."""
    return ",".join(map(cell, texts)) + "\r\n"
