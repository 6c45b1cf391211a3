"""Validates an answer: JSON that follows the schema and names a message sent and its writer's side. No I/O."""

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
    """A valid answer. ``message`` is an index into the messages sent.

    Without an attempt, ``by`` is None and ``message`` is unused.
    """

    attempt: bool
    by: By | None
    message: int
    why: str


class Unusable(Exception):
    """The answer isn't valid. ``str`` is the error code: "garbage", "wrong_index" or "wrong_side"."""


def read(body: bytes, sides: Sequence[By]) -> Answer:
    """Return the answer in the body of a chat completion. Raise Unusable."""
    value = _object(_content(body))
    if not _follows_schema(value):
        raise Unusable("garbage")
    index = value["message"]
    if not 0 <= index < len(sides):
        raise Unusable("wrong_index")
    why = _SPACE.sub(" ", canonical_text(value["why"])).strip()[:WHY]
    if not value["attempt"]:
        return Answer(attempt=False, by=None, message=index, why=why)
    if value["by"] != sides[index].value:
        raise Unusable("wrong_side")
    return Answer(attempt=True, by=sides[index], message=index, why=why)


def _follows_schema(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == _MEMBERS
        and isinstance(value["why"], str)
        and isinstance(value["attempt"], bool)
        and value["by"] in (By.EMPLOYEE.value, By.CUSTOMER.value, NOBODY)
        and isinstance(value["message"], int)
        and not isinstance(value["message"], bool)
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
    """Return the JSON object in the content, without the reasoning and code fences that models put around it."""
    text = content.rpartition(_THOUGHT)[2]
    start, end = text.find("{"), text.rfind("}")
    try:
        return json.loads(text[start : end + 1], object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise Unusable("garbage") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a dict of the pairs. Raise ValueError for a duplicate member."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate member")
    return members
