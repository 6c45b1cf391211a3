"""The language data of detection: one TOML file a language or subject, with examples that serve as tests."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def read(name: str) -> dict[str, Any]:
    """The content of ``<name>.toml``."""
    return tomllib.loads((files(__name__) / f"{name}.toml").read_text("utf-8"))
