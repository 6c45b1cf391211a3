"""What a talk says about its newest message: evidence over several messages, each of which can be named.

A number in pieces, an ask and its answer, a proposal and its acceptance, pressing after a refusal. Nothing rises with the
length of the talk: only the last messages of a bounded window are looked at, and faint hints are not added up.
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

#: Earlier messages that are looked at, and how many of them of the writer's side are read together with the newest.
REACH, TOGETHER = 10, 4
#: Minutes after which a message belongs to another talk.
GAP = 3 * 24 * 60.0
#: Longer messages are read here by their last characters; alone they are scanned whole.
LONGEST = 600
#: A longer message takes up nothing by its "yes" alone, and makes no piece of a number.
SHORT = 80
#: Messages of the other side among which its proposal or question stands.
RECENT = 2
_DIGITS = re.compile(r"\d{2,8}")


@dataclass(frozen=True, slots=True)
class Heard:
    """One message of a talk, read by itself: how it weighs, what it holds."""

    message: ThreadMessage
    text: str
    window: Window

    @property
    def probability(self) -> float:
        """How likely it is an attempt by itself."""
        return self.window.probability

    @property
    def reachable(self) -> bool:
        """Whether it names a way to reach somebody."""
        return any(f"{found.sort}:{found.shape}" in REACHABLE for found in self.window.evidence.candidates)

    @property
    def refuses(self) -> bool:
        """Whether it declines something."""
        return refuses(self.window.evidence)

    @property
    def accepts(self) -> bool:
        """Whether it is a short yes."""
        return (
            len(self.text) <= SHORT and lexicon().index["accept"] in self.window.evidence.concepts and not self.refuses
        )


@dataclass(slots=True)
class Talk:
    """What the talk adds to its newest message: strengths by the names of ``decision.Signals``, and where they stand.

    ``places`` are indexes of the earlier messages that each rests on.
    """

    joined: float = 0.0
    assembled: float = 0.0
    answers: float = 0.0
    accepts: float = 0.0
    presses: float = 0.0
    places: dict[str, list[int]] = field(default_factory=dict)


def hear(messages: Sequence[ThreadMessage], company: Company) -> list[Heard]:
    """Each message by itself."""
    texts = [(normalise(message.text[-LONGEST:]), message.direction) for message in messages]
    weighed = weighing.weigh_texts(texts, company)
    return [
        Heard(message, text.text, window)
        for message, (text, _), (window, _) in zip(messages, texts, weighed, strict=True)
    ]


def look(heard: Sequence[Heard], company: Company) -> Talk:
    """What the talk says about its last message; ``heard`` is oldest first."""
    newest, found = heard[-1], Talk()
    own, other = _near(heard)
    if other:
        _take_up(newest, [(place, heard[place]) for place in other], found)
        _press(heard, own, other, found)
    if own and not newest.reachable:
        _assemble(heard, own[-TOGETHER:], company, found)
    return found


def _near(heard: Sequence[Heard]) -> tuple[list[int], list[int]]:
    """Earlier messages of the same side and of the other one, oldest first, no further back than the window."""
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


def _take_up(newest: Heard, other: Sequence[tuple[int, Heard]], found: Talk) -> None:
    """An identifier after a question for it, a yes after a proposal."""
    place, proposed = max(other[-RECENT:], key=lambda one: one[1].probability)
    if proposed.probability < NOTICED or newest.refuses:
        return
    if newest.reachable and not proposed.reachable:
        found.answers = proposed.probability
        found.places["answers"] = [place]
    elif newest.accepts and place == other[-1][0]:
        found.accepts = proposed.probability
        found.places["accepts"] = [place]


def _press(heard: Sequence[Heard], own: Sequence[int], other: Sequence[int], found: Talk) -> None:
    """An attempt again after the other side has declined one."""
    for refusal in reversed(other):
        before = [place for place in own if place < refusal and heard[place].probability >= NOTICED]
        if before and heard[refusal].refuses and heard[-1].probability >= NOTICED:
            first = max(before, key=lambda place: heard[place].probability)
            found.presses = heard[first].probability
            found.places["presses"] = [first, refusal]
            return


def _assemble(heard: Sequence[Heard], own: Sequence[int], company: Company, found: Talk) -> None:
    """An identifier whose pieces stand in several messages."""
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
            found.joined = window.logit
            found.places["joined"] = list(own)
            return
    pieces = _pieces([*(heard[place] for place in own), heard[-1]])
    if len(pieces) >= 2 and _is_phone("".join(pieces), company):
        found.assembled = 1.0
        found.places["assembled"] = list(own)[-(len(pieces) - 1) :]


def _pieces(parts: Sequence[Heard]) -> list[str]:
    """Digits of the last messages in a row that hold exactly one group of them, the newest among them."""
    pieces: list[str] = []
    for part in reversed(parts):
        groups = _DIGITS.findall(part.text.replace("-", "").replace(" ", ""))
        if len(groups) != 1 or len(part.text) > SHORT:
            break
        pieces.insert(0, groups[0])
    return pieces


def _is_phone(digits: str, company: Company) -> bool:
    """Whether digits are a whole mobile or fixed number somewhere the company is."""
    if not 9 <= len(digits) <= 12:
        return False
    for region in company.regions[:4]:
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(digits, region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False
