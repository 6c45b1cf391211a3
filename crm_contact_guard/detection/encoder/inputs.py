"""What the encoder reads: the message, who wrote it, and the last of what was said before it.

Training and run time build it here, so that they can't differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from crm_contact_guard.detection.encoder.base import Special
from crm_contact_guard.detection.encoder.tokens import Tokenizer, Tokens
from crm_contact_guard.detection.types import Direction, ThreadMessage

#: Tokens of the message itself, of the talk before it, and of one message of that talk.
MESSAGE, TALK, EARLIER = 120, 72, 40
#: Earlier messages that are looked at at all, and characters of one text that are cut into tokens.
REACH, CHARACTERS = 8, 1_200
#: The base model was trained on texts that begin like this.
_HEADS = {
    Direction.OUTBOUND: "passage: staff:",
    Direction.INBOUND: "passage: customer:",
    Direction.NOTE: "passage: note:",
}
_NAMES = {Direction.OUTBOUND: " staff: ", Direction.INBOUND: " customer: ", Direction.NOTE: " note: "}


class Input(NamedTuple):
    """Token numbers; the message's own are ``first`` to ``last``, and ``spans`` says what each of them stands for."""

    ids: list[int]
    first: int
    last: int
    spans: list[tuple[int, int]]


def build(
    tokenizer: Tokenizer, special: Special, text: str, direction: Direction, talk: Sequence[ThreadMessage] = ()
) -> Input:
    """The input for a message; ``talk`` is what was said before it, oldest first.

    Of a longer message the first two thirds and the last third of what fits are read: openings stand at either end.
    """
    ids, spans = _ends(tokenizer(text[:CHARACTERS] if len(text) <= CHARACTERS else _shortened(text)), text)
    head = tokenizer(_HEADS[direction]).ids
    before = _talk(tokenizer, talk)
    first = 1 + len(head)
    sequence = [special.begin, *head, *ids, special.end]
    if before:
        sequence += [*before, special.end]
    return Input(sequence, first, first + len(ids), spans)


def _shortened(text: str) -> str:
    return text[: CHARACTERS * 2 // 3] + text[-CHARACTERS // 3 :]


def _ends(tokens: Tokens, text: str) -> tuple[list[int], list[tuple[int, int]]]:
    moved = max(0, len(text) - CHARACTERS)
    begin = CHARACTERS * 2 // 3
    spans = [(a, b) if not moved or a < begin else (a + moved, b + moved) for a, b in tokens.spans]
    if len(tokens.ids) <= MESSAGE:
        return list(tokens.ids), spans
    kept = MESSAGE * 2 // 3
    rest = MESSAGE - kept
    return [*tokens.ids[:kept], *tokens.ids[-rest:]], [*spans[:kept], *spans[-rest:]]


def _talk(tokenizer: Tokenizer, talk: Sequence[ThreadMessage]) -> list[int]:
    found: list[int] = []
    for message in reversed(talk[-REACH:]):
        ids = tokenizer(_NAMES[message.direction] + message.text[:160]).ids[:EARLIER]
        if len(found) + len(ids) > TALK:
            break
        found = [*ids, *found]
    return found
