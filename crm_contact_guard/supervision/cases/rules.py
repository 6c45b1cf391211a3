"""The published work rules: which kinds of discipline they provided for on a day.

Discipline needs a kind that stands in work rules made known before the act (労働基準法 art. 89 no. 9, art. 106). Rules
come from the setting ``WORK_RULES``; a package that publishes rules adds a function to ``SOURCES``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.utils import timezone

from crm_contact_guard.conf import settings
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.supervision.cases.outcomes import DISCIPLINE

_NAMES: Final = {"version", "valid_from", "outcomes"}


@dataclass(frozen=True, order=True)
class Rules:
    """One version of the work rules, and the kinds of discipline in it."""

    valid_from: date
    version: str
    outcomes: frozenset[str]


def _from_settings(tenant: str) -> Iterable[Rules]:
    return [
        Rules(date.fromisoformat(str(one["valid_from"])), str(one["version"]), frozenset(one["outcomes"]))
        for one in settings.WORK_RULES
    ]


#: Functions that return the published rules of a tenant.
SOURCES: Final[list[Callable[[str], Iterable[Rules]]]] = [_from_settings]


def in_force(tenant: str, at: datetime) -> Rules | None:
    """Return the rules in force at a time, by the day in the project's time zone; None if none were published."""
    day = timezone.localtime(at, timezone.get_default_timezone()).date()
    known = sorted(rules for source in SOURCES for rules in source(tenant) if rules.valid_from <= day)
    return known[-1] if known else None


def check() -> None:
    """Raise ConfigurationError if the setting ``WORK_RULES`` or ``APPEAL_DAYS`` is invalid."""
    if type(settings.APPEAL_DAYS) is not int or not 1 <= settings.APPEAL_DAYS <= 365:
        raise ConfigurationError("APPEAL_DAYS must be a whole number from 1 to 365")
    if not isinstance(settings.WORK_RULES, (list, tuple)):
        raise ConfigurationError("WORK_RULES must be a list")
    for number, one in enumerate(settings.WORK_RULES):
        _check_entry(f"WORK_RULES[{number}]", one)


def _check_entry(where: str, one: Any) -> None:
    if not isinstance(one, dict) or set(one) != _NAMES:
        raise ConfigurationError(f"{where} must have exactly the keys {', '.join(sorted(_NAMES))}")
    try:
        date.fromisoformat(str(one["valid_from"]))
    except ValueError:
        raise ConfigurationError(f"{where}: valid_from must be a date such as 2026-04-01") from None
    if not str(one["version"]) or len(str(one["version"])) > 64:
        raise ConfigurationError(f"{where}: version must have 1 to 64 characters")
    if not isinstance(one["outcomes"], (list, tuple, set)) or not set(one["outcomes"]) <= DISCIPLINE:
        known = ", ".join(sorted(DISCIPLINE))
        raise ConfigurationError(f"{where}: outcomes must list kinds of discipline ({known})")
