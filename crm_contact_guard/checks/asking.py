"""What all system checks share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.apps import AppConfig

from crm_contact_guard.exceptions import ConfigurationError

#: What Django passes to a check: the apps that are checked, or None for all.
Configs = Sequence[AppConfig] | None


def problem_of(check: Callable[[], object]) -> str:
    """Return the message of the ConfigurationError that ``check`` raises, or "" if it raises none."""
    try:
        check()
    except ConfigurationError as error:
        return str(error)
    return ""
