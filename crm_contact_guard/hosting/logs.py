"""Loggers that escape values from outside.

Such values can't begin a line of their own, move a terminal's cursor or end a JSON string.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Mapping
from typing import Any, Final

#: Maximum length of a value, in characters.
_LONGEST: Final = 2000
_NUMBERS: Final = (int, float, type(None))


def logger(name: str) -> logging.Logger:
    """Return the logger ``name``, which escapes values and tracebacks, whatever the host's handlers and formatters do.

    All modules must get their loggers from here, because a filter applies only to the logger that is called, and not to
    its descendants.
    """
    found = logging.getLogger(name)
    if not any(isinstance(one, _Escaping) for one in found.filters):
        found.addFilter(_Escaping())
    return found


class _Escaping(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, Mapping):
            record.args = {name: _escaped(value) for name, value in record.args.items()}
        elif record.args:
            record.args = tuple(map(_escaped, record.args))
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = _traceback(*record.exc_info)
        return True


def _escaped(value: Any) -> Any:
    """Return the value, or its text with JSON escapes if it is long or has special characters. Shorten long text."""
    if isinstance(value, _NUMBERS):
        return value
    text = str(value)
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}…"
    elif text.isprintable() and '"' not in text and "\\" not in text:
        return value
    return "".join(map(_character, text))


def _character(character: str) -> str:
    plain = character.isprintable() and character not in '"\\'
    return character if plain else json.dumps(character)[1:-1]


def _traceback(kind: Any, error: Any, place: Any) -> str:
    """Return the traceback with each line indented, since an exception may quote input from outside."""
    lines = "".join(traceback.format_exception(kind, error, place)).rstrip("\n").split("\n")
    return "\n".join(["  " + "".join([c if c.isprintable() else json.dumps(c)[1:-1] for c in line]) for line in lines])
