"""What ``pyproject.toml`` says, for the tests of the pages."""

from __future__ import annotations

import tomllib
from typing import Any

from tests.docs.pages import ROOT

PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = set(PYPROJECT["project"]["optional-dependencies"])
