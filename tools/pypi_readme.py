"""The README as a package index shows it: alone. Called by hatchling whenever the package's metadata is made.

Paths of the repository lead nowhere there, so a link to one becomes its words and the path, and a picture goes.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_IMAGE = re.compile(r"^!\[[^]]*\]\((?!https?:)[^)]*\)\n\n?", re.MULTILINE)
_LINK = re.compile(r"\[([^]]*)\]\((?!https?:)([^)]*)\)")


def standing_alone(text: str) -> str:
    """Markdown without pictures and links that are relative."""
    return _LINK.sub(_told, _IMAGE.sub("", text))


def _told(link: re.Match[str]) -> str:
    words, path = link.groups()
    return words if path.endswith(words.strip("`")) else f"{words}: {path}"


class StandingAlone(MetadataHookInterface):
    """Puts the README into the metadata."""

    def update(self, metadata: dict[str, Any]) -> None:
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": standing_alone(text)}
