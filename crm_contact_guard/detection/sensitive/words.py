"""The words of ``packs/sensitive.toml`` as expressions."""

from __future__ import annotations

from crm_contact_guard.detection import packs

_FRAGMENTS = {entry["id"]: entry["fragments"] for entry in packs.read("sensitive")["words"]}


def any_of(name: str) -> str:
    """An expression that matches any of the words with this id, the first in the file first."""
    return "|".join(_FRAGMENTS[name])


def groups(*names: str) -> str:
    """The same for several ids, each a group that is named by the last part of its id ("secret.word" → "word")."""
    return "|".join(f"(?P<{name.rpartition('.')[2]}>{any_of(name)})" for name in names)
