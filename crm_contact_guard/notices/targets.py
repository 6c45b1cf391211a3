"""The targets in the setting ``NOTIFY``: places outside the app that notices are sent to, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crm_contact_guard.directory.models import Team


@dataclass(frozen=True, kw_only=True)
class Target:
    """One target. ``name`` is its key in the setting."""

    name: str


def recipient(name: str) -> str:
    """Return what ``Notice.recipient`` is for a target."""
    return f"target:{name}"


def of_team(team: Team | None, topic: str) -> Sequence[Target]:
    """Return the targets that are told about a topic in a team."""
    return []


def personal() -> Sequence[Target]:
    """Return the targets that reach one person."""
    return []


def label(name: str) -> str:
    """Return a target's name as people read it."""
    return name
