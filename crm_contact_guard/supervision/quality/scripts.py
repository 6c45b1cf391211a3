"""The script that a text is written in, which stands for its language where rules are judged by language. Pure."""

from __future__ import annotations

import re
from typing import Final

#: The first that occurs counts: Japanese texts contain Latin letters and Chinese characters, never the reverse.
_SCRIPTS: Final = (
    ("ja", re.compile("[\u3040-\u30ff\uff66-\uff9f]")),
    ("ko", re.compile("[\uac00-\ud7af\u1100-\u11ff]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
    ("zh", re.compile("[\u3400-\u9fff]")),
    ("latin", re.compile("[A-Za-z\u00c0-\u024f]")),
)


def script_of(text: str | None) -> str:
    """Return "ja", "ko", "th", "zh" (Chinese characters only), "latin", or "" for other texts and erased ones."""
    return next((name for name, pattern in _SCRIPTS if pattern.search(text or "")), "")
