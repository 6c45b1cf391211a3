"""Prepare the README for package indexes. Hatchling calls this module when it builds the package's metadata.

Relative links don't work on package indexes, so they are replaced with their text and path. Images with relative
addresses are removed.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_IMAGE = re.compile(r"^!\[[^]]*\]\((?!https?:)[^)]*\)\n\n?", re.MULTILINE)
_LINK = re.compile(r"\[([^]]*)\]\((?!https?:)([^)]*)\)")


def standing_alone(text: str) -> str:
    """Return Markdown without relative images and links."""
    return _LINK.sub(_as_text, _IMAGE.sub("", text))


def _as_text(link: re.Match[str]) -> str:
    words, path = link.groups()
    return words if path.endswith(words.strip("`")) else f"{words}: {path}"


class StandingAlone(MetadataHookInterface):
    """Adds the README to the metadata."""

    def update(self, metadata: dict[str, Any]) -> None:
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": standing_alone(text)}
