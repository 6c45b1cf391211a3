"""The words of ``packs/sensitive.toml`` as regular expressions."""

from __future__ import annotations

from crm_contact_guard.detection import packs

_FRAGMENTS = {entry["id"]: entry["fragments"] for entry in packs.read("sensitive")["words"]}


def any_of(name: str) -> str:
    """Return a regular expression that matches any of the words with this ID, trying them in file order."""
    return "|".join(_FRAGMENTS[name])


def groups(*names: str) -> str:
    """Return an expression with a group for each of several IDs, named after the last part of the ID.

    For example, the group for "secret.word" is called "word".
    """
    return "|".join(f"(?P<{name.rpartition('.')[2]}>{any_of(name)})" for name in names)
