"""Run all parts of the installation check, in the order in which problems should be fixed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from django.db import DatabaseError, InterfaceError

from crm_contact_guard.installation.carriers import carrier_items
from crm_contact_guard.installation.pages import pages_items
from crm_contact_guard.installation.people import ROWS, people_items
from crm_contact_guard.installation.reader import reader_items
from crm_contact_guard.installation.report import Item, error
from crm_contact_guard.installation.settings_look import database_items, has_tables, settings_items
from crm_contact_guard.installation.trouble import describe
from crm_contact_guard.installation.work import PATIENCE, work_items
from crm_contact_guard.installation.working_time import hours_items


def walk(
    *, rows: int = ROWS, patience: float = PATIENCE, tests: Iterable[tuple[str, str]] = (), fix: bool = False
) -> Iterator[Item]:
    """Run all checks. With ``fix``, fix the problems that can be fixed safely, and run the affected parts again."""
    parts: list[Callable[[], Iterable[Item]]] = [
        settings_items,
        database_items,
        partial(people_items, rows),
        hours_items,
        pages_items,
        partial(carrier_items, tuple(tests)),
        reader_items,
        partial(work_items, patience),
    ]
    for part in parts:
        items = _look(part)
        menders = [item.mend for item in items if item.mend is not None]
        if fix and menders:
            for mend in menders:
                mend()
            items = _look(part)
        yield from items
        if part is database_items and not has_tables():
            return  # without the tables, all remaining checks would fail


def _look(part: Callable[[], Iterable[Item]]) -> list[Item]:
    """Run one part of the check. Report exceptions as items, so that the other parts still run."""
    items: list[Item] = []
    try:
        items.extend(part())  # keeps the items yielded before an exception
    except (DatabaseError, InterfaceError) as problem:
        items.append(error("database", describe(problem), "see above"))
    except Exception as problem:  # noqa: BLE001 - a host's adapter or template may raise anything
        name = getattr(part, "func", part).__name__.removesuffix("_items")
        items.append(error(name, f"can't be checked: {type(problem).__name__}: {problem}", "fix this first"))
    return items
