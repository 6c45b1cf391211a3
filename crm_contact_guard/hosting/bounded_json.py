"""Parse JSON from outside, which must be UTF-8 (RFC 8259 §8.1).

The depth, the number of values and the length of numbers are limited, and no object may contain a name twice. Depth and
number of values are checked before parsing, because a recursive parser raises an exception or crashes on deep nesting,
depending on the Python version. The caller must limit the size of the body.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

#: Maximum levels of nesting. Carriers and our own API use fewer than ten.
MAX_DEPTH: Final = 64
#: Maximum number of brackets, commas and strings.
MAX_TOKENS: Final = 500_000
#: Maximum length of a number, in characters.
_MAX_DIGITS: Final = 100

# The quantifiers are possessive, so that neither time nor memory depends on where strings end. If the match is a single
# quotation mark, a string has no end.
_TOKEN: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"|["\[\]{},]', re.DOTALL)


class UnboundedJson(ValueError):
    """The data is not JSON or exceeds a limit. The message never quotes the data."""


def read(data: bytes) -> Any:
    """Return the parsed value. Raise UnboundedJson if the data is not JSON or exceeds a limit."""
    check(data)
    try:
        return _DECODER.decode(data.decode("utf-8"))
    except UnboundedJson:
        raise
    except UnicodeDecodeError as error:
        raise UnboundedJson("not UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise UnboundedJson("not JSON") from error


def check(data: bytes) -> None:
    """Check depth and number of values in linear time. Raise UnboundedJson if they exceed the limits."""
    openings = data.count(b"[") + data.count(b"{")
    if openings <= MAX_DEPTH and data.count(b'"') + data.count(b",") + openings <= MAX_TOKENS:
        return
    depth = 0
    for number, token in enumerate(_TOKEN.finditer(data), 1):
        first, size = data[token.start()], token.end() - token.start()
        if first in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise UnboundedJson(f"nested more than {MAX_DEPTH} deep")
        elif first in b"]}":
            depth -= 1
        elif first == 0x22 and size == 1:
            raise UnboundedJson("not JSON")
        if number > MAX_TOKENS:
            raise UnboundedJson(f"more than {MAX_TOKENS} values")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        # The software that created or checked a signature may have used the other value.
        raise UnboundedJson("a name is there twice")
    return members


def _whole(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise UnboundedJson("a number is too long")
    return int(digits)


def _fraction(digits: str) -> float:
    value = float(digits) if len(digits) <= _MAX_DIGITS else math.inf
    if not math.isfinite(value):
        raise UnboundedJson("a number is too long or too large")
    return value


def _refuse(constant: str) -> Any:
    raise UnboundedJson("not JSON")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_whole, parse_float=_fraction, parse_constant=_refuse
)
