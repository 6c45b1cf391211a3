"""Finds evidence about the newest message in the conversation before it.

The evidence is an identifier in pieces, a request and its answer, a proposal and its acceptance, or a new attempt after
a refusal. It always refers to specific messages. The evidence does not grow with the length of the conversation,
because only a bounded window of messages is read and weak hints are not added up.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import phonenumbers

from crm_contact_guard.detection.concepts.lexicon import lexicon
from crm_contact_guard.detection.decision import NOTICED
from crm_contact_guard.detection.evidence import refuses
from crm_contact_guard.detection.ranker import weighing
from crm_contact_guard.detection.ranker.features import REACHABLE
from crm_contact_guard.detection.ranker.weighing import Window
from crm_contact_guard.detection.text.normalise import normalise
from crm_contact_guard.detection.types import Company, ThreadMessage

#: How many earlier messages are read, and how many of the writer's own are joined with the newest one.
REACH, TOGETHER = 10, 4
#: Minutes of silence after which a message belongs to another conversation.
GAP = 3 * 24 * 60.0
#: Only this many characters at the end of a message are read here; the quick scan reads all of them.
LONGEST = 600
#: A message with more characters is neither a plain "yes" nor a piece of a number.
SHORT = 80
#: How many of the other side's latest messages may contain the proposal or question.
RECENT = 2
_DIGITS = re.compile(r"\d{2,8}")


@dataclass(frozen=True, slots=True)
class Heard:
    """One message of a conversation, scored on its own."""

    message: ThreadMessage
    text: str
    window: Window

    @property
    def probability(self) -> float:
        """Probability that the message on its own is an attempt."""
        return self.window.probability

    @property
    def reachable(self) -> bool:
        """Whether the message contains an identifier by which a person can be reached."""
        return any(f"{one.sort}:{one.shape}" in REACHABLE for one in self.window.evidence.candidates)

    @property
    def refuses(self) -> bool:
        """Whether the message contains words of refusal."""
        return refuses(self.window.evidence)

    @property
    def accepts(self) -> bool:
        """Whether the message is a short "yes"."""
        return (
            len(self.text) <= SHORT and lexicon().index["accept"] in self.window.evidence.concepts and not self.refuses
        )


@dataclass(slots=True)
class Talk:
    """Signals of the conversation for its newest message, named as in ``decision.Signals``.

    ``places`` maps each signal to the indexes of the earlier messages it is based on.
    """

    joined: float = 0.0
    assembled: float = 0.0
    answers: float = 0.0
    accepts: float = 0.0
    presses: float = 0.0
    places: dict[str, list[int]] = field(default_factory=dict)


def hear(messages: Sequence[ThreadMessage], company: Company) -> list[Heard]:
    """Score each message on its own."""
    texts = [(normalise(message.text[-LONGEST:]), message.direction) for message in messages]
    weighed = weighing.weigh_texts(texts, company)
    return [
        Heard(message, text.text, window)
        for message, (text, _), (window, _) in zip(messages, texts, weighed, strict=True)
    ]


def look(heard: Sequence[Heard], company: Company) -> Talk:
    """Return the signals of the conversation for its last message. ``heard`` is sorted oldest first."""
    newest, talk = heard[-1], Talk()
    own, other = _near(heard)
    if other:
        _take_up(newest, [(place, heard[place]) for place in other], talk)
        _press(heard, own, other, talk)
    if own and not newest.reachable:
        _assemble(heard, own[-TOGETHER:], company, talk)
    return talk


def _near(heard: Sequence[Heard]) -> tuple[list[int], list[int]]:
    """Return the indexes of earlier messages in the window, by the same side and by the other side, oldest first."""
    side = heard[-1].message.direction
    own: list[int] = []
    other: list[int] = []
    minutes = heard[-1].message.minutes_after_previous
    for place in range(len(heard) - 2, max(-1, len(heard) - 2 - REACH), -1):
        if minutes > GAP:
            break
        (own if heard[place].message.direction is side else other).insert(0, place)
        minutes += heard[place].message.minutes_after_previous
    return own, other


def _take_up(newest: Heard, other: Sequence[tuple[int, Heard]], talk: Talk) -> None:
    """Detect an identifier given after a request, or a "yes" after a proposal."""
    place, proposed = max(other[-RECENT:], key=lambda one: one[1].probability)
    if proposed.probability < NOTICED or newest.refuses:
        return
    if newest.reachable and not proposed.reachable:
        talk.answers = proposed.probability
        talk.places["answers"] = [place]
    elif newest.accepts and place == other[-1][0]:
        talk.accepts = proposed.probability
        talk.places["accepts"] = [place]


def _press(heard: Sequence[Heard], own: Sequence[int], other: Sequence[int], talk: Talk) -> None:
    """Detect an attempt repeated after the other side's refusal."""
    for refusal in reversed(other):
        before = [place for place in own if place < refusal and heard[place].probability >= NOTICED]
        if before and heard[refusal].refuses and heard[-1].probability >= NOTICED:
            first = max(before, key=lambda place: heard[place].probability)
            talk.presses = heard[first].probability
            talk.places["presses"] = [first, refusal]
            return


def _assemble(heard: Sequence[Heard], own: Sequence[int], company: Company, talk: Talk) -> None:
    """Detect an identifier whose pieces are spread over several messages."""
    parts = [heard[place] for place in own] + [heard[-1]]
    text = "\n".join(part.message.text[-LONGEST:] for part in parts)
    newest_at = len(text) - len(parts[-1].message.text[-LONGEST:])
    normalised = normalise(text)
    if len(normalised.text) > weighing.WINDOW:
        return
    window = weighing.weigh(normalised, 0, len(normalised.text), heard[-1].message.direction, company)
    for candidate in window.evidence.candidates:
        start, end = normalised.span(candidate.start, candidate.end)
        if f"{candidate.sort}:{candidate.shape}" in REACHABLE and start < newest_at < end:
            talk.joined = window.logit
            talk.places["joined"] = list(own)
            return
    pieces = _pieces([*(heard[place] for place in own), heard[-1]])
    if len(pieces) >= 2 and _is_phone("".join(pieces), company):
        talk.assembled = 1.0
        talk.places["assembled"] = list(own)[-(len(pieces) - 1) :]


def _pieces(parts: Sequence[Heard]) -> list[str]:
    """Return the digits of the last consecutive short messages that each contain exactly one group of digits."""
    pieces: list[str] = []
    for part in reversed(parts):
        groups = _DIGITS.findall(part.text.replace("-", "").replace(" ", ""))
        if len(groups) != 1 or len(part.text) > SHORT:
            break
        pieces.insert(0, groups[0])
    return pieces


def _is_phone(digits: str, company: Company) -> bool:
    """Whether the digits are a complete phone number in one of the company's first regions."""
    if not 9 <= len(digits) <= 12:
        return False
    for region in company.regions[:4]:
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(digits, region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False
