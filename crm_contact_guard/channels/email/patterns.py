"""The regular expressions in ``words.toml``, compiled on first use. RE2 matches untrusted text in linear time."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib.resources import files

import re2


@lru_cache(maxsize=1)
def _lists() -> dict[str, list[str]]:
    source = files("crm_contact_guard.channels.email") / "words.toml"
    return tomllib.loads(source.read_text("utf-8"))


@lru_cache(maxsize=16)
def listed(name: str, before: str = "", after: str = "") -> re2._Regexp:
    """Return an expression that matches any entry of the list ``name`` in ``words.toml``.

    ``before`` and ``after`` are expressions that must match around the entry. Case is ignored, and ``^`` and ``$``
    match at the beginning and end of each line.
    """
    return re2.compile(f"(?im){before}(?:{'|'.join(_lists()[name])}){after}")
