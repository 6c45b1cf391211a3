"""Builds the encoder's input: the message, who wrote it, and the latest messages before it.

Training and inference share this code, so that their inputs can't differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from crm_contact_guard.detection.encoder.base import Special
from crm_contact_guard.detection.encoder.tokens import Tokenizer, Tokens
from crm_contact_guard.detection.types import Direction, ThreadMessage

#: Maximum number of tokens for the message itself, for all messages before it together, and for each one before it.
MESSAGE, TALK, EARLIER = 120, 72, 40
#: How many earlier messages are read, and how many characters of a text are tokenised.
REACH, CHARACTERS = 8, 1_200
#: The base model was trained on text with the prefix "passage:".
_HEADS = {
    Direction.OUTBOUND: "passage: staff:",
    Direction.INBOUND: "passage: customer:",
    Direction.NOTE: "passage: note:",
}
_NAMES = {Direction.OUTBOUND: " staff: ", Direction.INBOUND: " customer: ", Direction.NOTE: " note: "}


class Input(NamedTuple):
    """Token numbers, of which those from ``first`` up to, but not including, ``last`` belong to the message itself.

    ``spans`` holds the span of each of the message's tokens in its text.
    """

    ids: list[int]
    first: int
    last: int
    spans: list[tuple[int, int]]


def build(
    tokenizer: Tokenizer, special: Special, text: str, direction: Direction, talk: Sequence[ThreadMessage] = ()
) -> Input:
    """Build the input for a message. ``talk`` holds the messages before it, oldest first.

    If a message is too long, its middle is left out: two thirds of the tokens come from its start and one third from
    its end, where attempts are usually made.
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
    shift = max(0, len(text) - CHARACTERS)
    begin = CHARACTERS * 2 // 3
    spans = [(a, b) if not shift or a < begin else (a + shift, b + shift) for a, b in tokens.spans]
    if len(tokens.ids) <= MESSAGE:
        return list(tokens.ids), spans
    from_start = MESSAGE * 2 // 3
    from_end = MESSAGE - from_start
    return [*tokens.ids[:from_start], *tokens.ids[-from_end:]], [*spans[:from_start], *spans[-from_end:]]


def _talk(tokenizer: Tokenizer, talk: Sequence[ThreadMessage]) -> list[int]:
    tokens: list[int] = []
    for message in reversed(talk[-REACH:]):
        ids = tokenizer(_NAMES[message.direction] + message.text[:160]).ids[:EARLIER]
        if len(tokens) + len(ids) > TALK:
            break
        tokens = [*ids, *tokens]
    return tokens
