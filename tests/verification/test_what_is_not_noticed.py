"""docs/record.md lists what verification of working state bounds by a rule or does not notice, as it is declared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from crm_contact_guard.record.following import REGISTRY, Checked, Follows, Recorded, Unproven

PAGE = Path(__file__).parents[2] / "docs" / "record.md"
BEGIN, END = "<!-- declared: begin -->\n", "<!-- declared: end -->\n"


def table() -> str:
    """The table as it belongs into the page."""
    lines = [
        f"| {declared.name} | {', '.join(f'`{column}`' for column in columns)} | {told} |"
        for declared in sorted(REGISTRY.values(), key=lambda one: one.name)
        for told, columns in _told(declared).items()
    ]
    return "\n".join(["| Table | Column | |", "|---|---|---|", *lines]) + "\n"


def _told(declared: Follows) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for told, column in _words(declared):
        found.setdefault(told, []).append(column)
    return found


def _words(declared: Follows) -> Iterator[tuple[str, str]]:
    for name, column in declared.columns.items():
        if isinstance(column, Checked) or (isinstance(column, Recorded) and column.emptied):
            yield column.says, name
        elif isinstance(column, Unproven):
            yield f"**not noticed**: {column.says}", name
    for what, why in (("deleted row", declared.deleted), ("added row", declared.added)):
        if why:
            yield f"**not noticed**: {why}", what


def test_the_page_lists_what_is_declared() -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert text.partition(BEGIN)[2].partition(END)[0] == table(), f"docs/record.md needs this table:\n{table()}"
