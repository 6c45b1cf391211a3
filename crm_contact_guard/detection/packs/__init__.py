"""The language data for detection: one TOML file per language or subject, with examples that serve as tests."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def read(name: str) -> dict[str, Any]:
    """Return the content of ``<name>.toml``."""
    return tomllib.loads((files(__name__) / f"{name}.toml").read_text("utf-8"))
