"""Which role a host's user has here, by the setting ``EMPLOYEE``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from crm_contact_guard.crm import paths

#: Our roles, the most powerful first: who has several at the host gets the first of them.
ROLES: Final = ("compliance", "auditor", "supervisor", "employee")


def role(row: Any, spec: Mapping[str, Any]) -> str:
    """By group names in ``ROLE_GROUPS`` (our role → names), or by ``ROLE`` (a path) through ``ROLES`` (host's word →
    ours). Who has neither a group nor a word that is named there has ``DEFAULT_ROLE``, and without it no part in our
    pages. Everybody is an employee only where nothing of the kind is set."""
    if spec.get("ROLE_GROUPS"):
        names = {str(getattr(group, "name", group)) for group in paths.values(row, spec.get("GROUPS", "groups"))}
        found = [each for each in ROLES if names & set(spec["ROLE_GROUPS"].get(each, ()))]
        return highest(found) or str(spec.get("DEFAULT_ROLE", ""))
    if spec.get("ROLE"):
        known = _by_text(spec)
        found = [ours for ours in (_ours(word, known) for word in words(row, spec)) if ours is not None]
        return highest(found) if found else str(spec.get("DEFAULT_ROLE", ""))
    return str(spec.get("DEFAULT_ROLE", "employee"))


def highest(roles: Iterable[str]) -> str:
    """The most powerful of some roles; empty when there is none."""
    given = set(filter(None, roles))
    return next((each for each in ROLES if each in given), next(iter(sorted(given)), ""))


def words(row: Any, spec: Mapping[str, Any]) -> list[str]:
    """What the host calls the person's roles."""
    return [str(value) for value in paths.values(row, spec.get("ROLE"))]


def unnamed(row: Any, spec: Mapping[str, Any]) -> list[str]:
    """Words for roles that ``ROLES`` does not name."""
    known = _by_text(spec)
    return [word for word in words(row, spec) if _ours(word, known) is None]


def _by_text(spec: Mapping[str, Any]) -> dict[str, str]:
    """Keys may be numbers or truth values, as the field's are."""
    return {str(word): str(ours) for word, ours in spec.get("ROLES", {}).items()}


def _ours(word: str, known: Mapping[str, str]) -> str | None:
    return known.get(word, word if word in ROLES else None)
