"""Compare tables with the record, page by page, in constant memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import ForeignKey
from django.utils import timezone

from crm_contact_guard.record.following import (
    REGISTRY,
    BySubject,
    Checked,
    Column,
    Follows,
    Life,
    Recorded,
    Row,
    as_recorded,
    made_at,
    plain,
)
from crm_contact_guard.record.upgrade import earlier_until
from crm_contact_guard.verification.projections import lives
from crm_contact_guard.verification.report import Report


def tables() -> list[Follows]:
    """Return the declarations of the tables that are compared here."""
    return [declared for declared in REGISTRY.values() if _is_compared(declared)]


def check(using: str, declared: Follows, report: Report) -> None:
    """Compare one table. Call this within a snapshot."""
    _Comparison(using, declared, report).run()


def _is_compared(declared: Follows) -> bool:
    return declared.whole is not None or any(
        isinstance(column, Recorded | Checked) for column in declared.columns.values()
    )


class _Comparison:
    def __init__(self, using: str, declared: Follows, report: Report) -> None:
        self._using, self._declared, self._report = using, declared, report
        self._now = timezone.now()
        self._key = declared.model._meta.pk.attname
        self._columns: list[tuple[str, Column]] = [
            (name, column) for name, column in declared.columns.items() if isinstance(column, Recorded | Checked)
        ]
        self._earlier = earlier_until(using)

    def run(self) -> None:
        known = 0
        if self._columns:
            for rows in pages(self._using, self._declared):
                known += self._page(rows)
        source = self._declared.events
        if source is not None and lives.made(self._using, source) != known:
            self._missing(source)
        if self._declared.whole is not None:
            for where, why in self._declared.whole(self._using):
                self._report.add(where, why)

    def _page(self, rows: Sequence[Row]) -> int:
        """Compare a page of rows. Return how many of them an event created."""
        source, beside = self._declared.events, self._declared.beside
        told = lives.of(self._using, source, [row[self._key] for row in rows]) if source is not None else {}
        others: Mapping[Any, Any] = beside(self._using, rows) if beside is not None else {}
        known = 0
        for row in rows:
            key = row[self._key]
            life = Life(
                events=told.get(str(key), ()),
                now=self._now,
                beside=others.get(key),
                is_earlier=self._is_of_an_earlier_version(row),
                earlier=self._declared.earlier,
            )
            if source is not None:
                if life.last(*source.born) is not None:
                    known += 1
                elif not (source.is_new and life.is_earlier):
                    self._add(key, "is in the table, but no event made it")
                    continue
                if source.gone and life.last(*source.gone) is not None:
                    self._add(key, "is in the table, but an event removed it")
                    continue
            for name, column in self._columns:
                self._compare(row, name, column, life)
        return known

    def _compare(self, row: Row, name: str, column: Column, life: Life) -> None:
        rule = column.check if isinstance(column, Checked) else None
        if isinstance(column, Recorded):
            state = life.personal if column.personal else life.open
            if name not in state:
                rule = column.otherwise
            elif column.emptied and not row[name]:
                pass
            elif state[name] != (found := as_recorded(column, row[name])):
                # Personal data and secrets are not printed.
                hidden = column.personal or column.secret
                values = f"expected {_shown(state[name])}, found {_shown(found)}"
                self._add(row[self._key], f"{name}: {'differs from what was recorded' if hidden else values}")
        if rule is not None and (wanted := rule(row, life)) is not None:
            self._add(row[self._key], f"{name}: expected {wanted}, found {_shown(row[name])}")

    def _is_of_an_earlier_version(self, row: Row) -> bool:
        if self._earlier is None:
            return False
        since = self._declared.since
        made = since(row) if since is not None else made_at(row[self._key])
        return made < self._earlier

    def _missing(self, source: BySubject) -> None:
        """Report the rows that an event created but that no longer exist."""
        model, field = self._declared.model, self._declared.model._meta.pk
        key = field.target_field if isinstance(field, ForeignKey) else field
        for part in lives.keys(self._using, source):
            wanted = {}
            for text in part:
                try:
                    wanted[key.to_python(text)] = text
                except ValidationError:
                    continue  # tampered with; the check of the row reports it
            there = model._base_manager.using(self._using).filter(pk__in=wanted)
            for gone in wanted.keys() - set(there.values_list("pk", flat=True)):
                self._add(gone, "was recorded and is gone")

    def _add(self, key: Any, why: str) -> None:
        self._report.add(f"{self._declared.name} {key}", why)


def pages(using: str, declared: Follows) -> Iterator[Sequence[Row]]:
    """Yield pages of the table's rows, ordered by key."""
    model, key = declared.model, declared.model._meta.pk.attname
    rows = model._base_manager.using(using).order_by("pk").values(*declared.columns)
    after: Any = None
    while True:
        part = list((rows if after is None else rows.filter(pk__gt=after))[: lives.BATCH])
        if part:
            yield part
        if len(part) < lives.BATCH:
            return
        after = part[-1][key]


def _shown(value: Any) -> str:
    told = plain(value)
    return "nothing" if told is None else repr(told) if isinstance(told, str) and not _is_id(told) else str(told)


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
