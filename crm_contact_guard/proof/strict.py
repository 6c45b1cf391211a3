"""Parse JSON strictly, so that all readers see the same: no duplicate names, fractions, NaN or large numbers.

Shapes check types: ``true`` is not a number, ``1.0`` is not a whole number, and unknown members are refused. A shape is
a function that takes a value and its path. It returns None if the value has the shape, else the path of the first part
that does not.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from .errors import FormatBroken

__all__ = ["Shape", "count", "exactly", "flag", "list_of", "load", "map_of", "nullable", "object_of", "pattern", "text"]

Shape = Callable[[Any, str], str | None]

_LARGEST: Final = 2**53 - 1


def load(data: bytes | str, *, of: type = dict) -> Any:
    """Parse JSON whose outermost value has the type ``of``. Raises FormatBroken."""
    try:
        value = _DECODER.decode(data if isinstance(data, str) else data.decode())
    except (ValueError, RecursionError):
        raise FormatBroken("is not JSON that all readers see alike") from None
    if type(value) is not of:
        raise FormatBroken(f"is not a JSON {'object' if of is dict else 'list'}")
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name is there twice")
    return members


def _whole(digits: str) -> int:
    # RFC 8259 §6: beyond 2⁵³−1, readers disagree. At most 16 digits and a sign, so that no number is slow to convert.
    if len(digits) > 17 or abs(value := int(digits)) > _LARGEST:
        raise ValueError("a number is too large")
    return value


def _refuse(token: str) -> Any:
    raise ValueError(token)


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_members, parse_int=_whole, parse_float=_refuse, parse_constant=_refuse
)


def text(value: Any, path: str = "") -> str | None:
    """A string."""
    return None if type(value) is str else path


def flag(value: Any, path: str = "") -> str | None:
    """true or false."""
    return None if type(value) is bool else path


def count(value: Any, path: str = "") -> str | None:
    """A whole number from 0 to 2⁵³−1, which every JSON parser represents exactly (RFC 8259 §6)."""
    return None if type(value) is int and 0 <= value <= _LARGEST else path


def exactly(expected: str | int) -> Shape:
    """Exactly this value, of the same type."""
    return _where(lambda value: type(value) is type(expected) and bool(value == expected))


def pattern(expression: str) -> Shape:
    """A string that matches ``expression`` as a whole."""
    compiled = re.compile(expression)
    return _where(lambda value: type(value) is str and compiled.fullmatch(value) is not None)


def nullable(shape: Shape) -> Shape:
    """null, or a value of this shape."""

    def check(value: Any, path: str = "") -> str | None:
        return None if value is None else shape(value, path)

    return check


def list_of(shape: Shape) -> Shape:
    """A list of values of this shape."""

    def check(value: Any, path: str = "") -> str | None:
        if type(value) is not list:
            return path
        return next((found for item in value if (found := shape(item, path)) is not None), None)

    return check


def map_of(key: Shape, shape: Shape) -> Shape:
    """An object whose names and values have these shapes."""

    def check(value: Any, path: str = "") -> str | None:
        if type(value) is not dict:
            return path
        for name, item in value.items():
            below = f"{path}.{name}"
            found = below if key(name, below) is not None else shape(item, below)
            if found is not None:
                return found
        return None

    return check


def object_of(required: Mapping[str, Shape], optional: Mapping[str, Shape] | None = None) -> Shape:
    """An object with all ``required`` members, any of the ``optional`` ones, and no others."""
    shapes = {**required, **(optional or {})}

    def check(value: Any, path: str = "") -> str | None:
        if type(value) is not dict:
            return path
        for name in (
            *(name for name in required if name not in value),
            *(name for name in value if name not in shapes),
        ):
            return f"{path}.{name}"
        return next(
            (found for name, item in value.items() if (found := shapes[name](item, f"{path}.{name}")) is not None), None
        )

    return check


def _where(holds: Callable[[Any], bool]) -> Shape:
    def check(value: Any, path: str = "") -> str | None:
        return None if holds(value) else path

    return check
