"""Filters of the access log, as they stand in its URL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.console.times import midnight
from crm_contact_guard.console.url_filters import UrlFilters, is_day

#: What was done: a label, and the kinds of events.
WHAT: Final[dict[str, tuple[str | Promise, tuple[str, ...]]]] = {
    "read": (_("Conversation read"), ("view.content",)),
    "searched": (_("Search"), ("view.search",)),
    "unmasked": (_("Addresses shown"), ("view.unmasked",)),
    "case": (_("Case read"), ("view.case",)),
    "exported": (_("Export"), ("export.streamed", "export.bundle")),
}


@dataclass(frozen=True)
class AccessFilters(UrlFilters):
    """Values to filter the log by; "" matches everything.

    ``person`` and ``conversation`` are IDs. ``since`` and ``until`` are days in the viewer's time zone, both included.
    """

    person: str = ""
    what: str = ""
    conversation: str = ""
    since: str = ""
    until: str = ""

    @classmethod
    def is_usable(cls, name: str, value: str) -> bool:
        if name == "what":
            return value in WHAT
        try:
            if name in ("since", "until"):
                return is_day(value)
            return str(UUID(value)) == value
        except ValueError:
            return False

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
            found["recorded_at__gte"] = midnight(date.fromisoformat(self.since))
        if self.until:
            found["recorded_at__lt"] = midnight(date.fromisoformat(self.until) + timedelta(days=1))
        return found
