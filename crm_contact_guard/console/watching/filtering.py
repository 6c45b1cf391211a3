"""Filters of the access log, as they stand in its URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

#: What was done: a label, and the kinds of events.
WHAT: Final[dict[str, tuple[str | Promise, tuple[str, ...]]]] = {
    "read": (_("Conversation read"), ("view.content",)),
    "unmasked": (_("Addresses shown"), ("view.unmasked",)),
    "case": (_("Case read"), ("view.case",)),
    "exported": (_("Export"), ("export.streamed", "export.bundle")),
}


@dataclass(frozen=True)
class AccessFilters:
    """Values to filter the log by; "" matches everything.

    ``person`` and ``conversation`` are IDs. ``since`` and ``until`` are days in the viewer's time zone, both included.
    """

    person: str = ""
    what: str = ""
    conversation: str = ""
    since: str = ""
    until: str = ""

    @classmethod
    def read(cls, given: Mapping[str, str]) -> tuple[AccessFilters, list[str]]:
        """Return the usable filters, and the names of parameters that are unknown or have an unusable value."""
        names = {field.name for field in fields(cls)}
        values = {name: given[name] for name in names if given.get(name)}
        usable = {name: value for name, value in values.items() if _is_usable(name, value)}
        unknown = [name for name in given if name not in names and name != "cursor"]
        return cls(**usable), sorted({*unknown, *(values.keys() - usable.keys())})

    @property
    def texts(self) -> dict[str, str]:
        """The filters that are set."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value}

    @property
    def query(self) -> str:
        return urlencode(self.texts)

    @property
    def lookups(self) -> dict[str, Any]:
        """The filters as lookups of events."""
        found: dict[str, Any] = {}
        if self.person:
            found["actor"] = self.person
        if self.what:
            found["kind__in"] = WHAT[self.what][1]
        if self.conversation:
            found["conversation"] = self.conversation
        if self.since:
            found["recorded_at__gte"] = _midnight(date.fromisoformat(self.since))
        if self.until:
            found["recorded_at__lt"] = _midnight(date.fromisoformat(self.until) + timedelta(days=1))
        return found


def _is_usable(name: str, value: str) -> bool:
    if name == "what":
        return value in WHAT
    try:
        if name in ("since", "until"):
            return date(2000, 1, 1) <= date.fromisoformat(value) < date(2200, 1, 1)
        return str(UUID(value)) == value
    except ValueError:
        return False


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=timezone.get_current_timezone())
