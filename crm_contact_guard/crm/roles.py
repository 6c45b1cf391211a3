"""Determine the role of a host user according to the setting ``EMPLOYEE``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from crm_contact_guard.crm import paths

#: This app's roles, the most powerful first. A user with several roles gets the most powerful one.
ROLES: Final = ("compliance", "auditor", "supervisor", "employee")


def role(row: Any, spec: Mapping[str, Any]) -> str:
    """Return the role determined by the options in ``spec``.

    ``ROLE_GROUPS`` maps this app's roles to group names. Otherwise, ``ROLE`` is the path to the host's role name, and
    ``ROLES`` maps the host's names to this app's roles. Without a match, the role is ``DEFAULT_ROLE``, or "" (no
    access). If neither ``ROLE_GROUPS`` nor ``ROLE`` is set, it is ``DEFAULT_ROLE``, or "employee".
    """
    if spec.get("ROLE_GROUPS"):
        names = {str(getattr(group, "name", group)) for group in paths.values(row, spec.get("GROUPS", "groups"))}
        roles = [role for role in ROLES if names & set(spec["ROLE_GROUPS"].get(role, ()))]
        return highest(roles) or str(spec.get("DEFAULT_ROLE", ""))
    if spec.get("ROLE"):
        mapping = _by_text(spec)
        roles = [ours for ours in (_ours(word, mapping) for word in words(row, spec)) if ours is not None]
        return highest(roles) if roles else str(spec.get("DEFAULT_ROLE", ""))
    return str(spec.get("DEFAULT_ROLE", "employee"))


def highest(roles: Iterable[str]) -> str:
    """Return the most powerful of the roles; empty if there is none."""
    present = set(filter(None, roles))
    return next((role for role in ROLES if role in present), next(iter(sorted(present)), ""))


def words(row: Any, spec: Mapping[str, Any]) -> list[str]:
    """Return the host's names for the user's roles."""
    return [str(value) for value in paths.values(row, spec.get("ROLE"))]


def unnamed(row: Any, spec: Mapping[str, Any]) -> list[str]:
    """Return the user's role names in the host that ``ROLES`` doesn't contain."""
    mapping = _by_text(spec)
    return [word for word in words(row, spec) if _ours(word, mapping) is None]


def _by_text(spec: Mapping[str, Any]) -> dict[str, str]:
    """Return ``ROLES`` with its keys as text, since the host's field may contain numbers or Booleans."""
    return {str(word): str(ours) for word, ours in spec.get("ROLES", {}).items()}


def _ours(word: str, mapping: Mapping[str, str]) -> str | None:
    return mapping.get(word, word if word in ROLES else None)
