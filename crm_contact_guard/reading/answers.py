"""What counts as an answer: JSON of the schema, about a message that was sent, by the side that wrote it. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from crm_contact_guard.detection.types import By
from crm_contact_guard.proof.canonical import canonical_text
from crm_contact_guard.reading.prompt import NOBODY, WHY

_MEMBERS: Final = {"why", "attempt", "by", "message"}
_THOUGHT: Final = "</think>"
_SPACE: Final = re.compile(r"\s+")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """``by`` is None and ``message`` means nothing where it is no attempt; else the index among the messages sent."""

    attempt: bool
    by: By | None
    message: int
    why: str


class Unusable(Exception):
    """Not an answer; ``str`` is a word for it: "garbage", "wrong_index", "wrong_side"."""


def read(body: bytes, sides: Sequence[By]) -> Answer:
    """The answer in a chat completion's body. Raises Unusable."""
    given = _object(_content(body))
    if not _is_of_schema(given):
        raise Unusable("garbage")
    index = given["message"]
    if not 0 <= index < len(sides):
        raise Unusable("wrong_index")
    why = _SPACE.sub(" ", canonical_text(given["why"])).strip()[:WHY]
    if not given["attempt"]:
        return Answer(attempt=False, by=None, message=index, why=why)
    if given["by"] != sides[index].value:
        raise Unusable("wrong_side")
    return Answer(attempt=True, by=sides[index], message=index, why=why)


def _is_of_schema(given: Any) -> bool:
    return (
        isinstance(given, dict)
        and set(given) == _MEMBERS
        and isinstance(given["why"], str)
        and isinstance(given["attempt"], bool)
        and given["by"] in (By.EMPLOYEE.value, By.CUSTOMER.value, NOBODY)
        and isinstance(given["message"], int)
        and not isinstance(given["message"], bool)
    )


def _content(body: bytes) -> str:
    try:
        content = json.loads(body)["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        raise Unusable("garbage") from error
    if not isinstance(content, str):
        raise Unusable("garbage")
    return content


def _object(content: str) -> Any:
    """The one JSON object in it: models like to think aloud before, and to fence it."""
    said = content.rpartition(_THOUGHT)[2]
    start, end = said.find("{"), said.rfind("}")
    try:
        return json.loads(said[start : end + 1], object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise Unusable("garbage") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A member that comes twice says two things."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member twice")
    return found
