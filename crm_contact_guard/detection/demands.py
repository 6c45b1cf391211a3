"""Whether a text presses for an answer now, by the words of ``packs/demands.toml``."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from crm_contact_guard.detection import packs

#: Only so much of a text is read.
_MOST_CHARACTERS: Final = 2000


@cache
def _words() -> re.Pattern[str]:
    fragments = (fragment for entry in packs.read("demands")["words"] for fragment in entry["fragments"])
    return re.compile("|".join(fragments), re.IGNORECASE)


def demands(text: str) -> bool:
    """Whether the text presses for an answer. Reads its first 2,000 characters, in linear time."""
    return _words().search(text[:_MOST_CHARACTERS].replace("’", "'")) is not None
