"""Sphinx: Markdown sources, warnings are errors (``make docs``)."""

import tomllib
from pathlib import Path

_project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]

project = "crm_contact_guard"
author = "crm_contact_guard contributors"
copyright = "2026, crm_contact_guard contributors"
release = version = _project["version"]
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "crm_contact_guard"
nitpicky = True
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3
# A sketch of code with an ellipsis in it is no fault of the documentation.
suppress_warnings = ["misc.highlighting_failure"]
