"""Finds data that should not stay in a conversation: card numbers, My Numbers and account credentials.

The label of a number is decisive. By the check digit alone, one in ten order numbers would pass as a card number, and
one in eleven tracking numbers as a My Number. Therefore:

* A card number needs a scheme's range, a correct Luhn digit, and no nearer label of another sort ("order no.", 追跡番号).
  Without any label, the score is higher if the digits are grouped as on a card.
* A My Number needs its label, because Japanese parcel numbers are grouped 4-4-4 too.
* A credential needs its label and a plausible value. Codes for a door, a file, a meeting or the guest Wi-Fi are given
  out every day and don't count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import re2

from crm_contact_guard.detection import packs
from crm_contact_guard.detection.gates import LONG_NUMBER, SECRET_NAME, SENSITIVE, opened
from crm_contact_guard.detection.sensitive.check_digits import is_card, is_my_number
from crm_contact_guard.detection.sensitive.credentials import find_credentials, flood
from crm_contact_guard.detection.sensitive.words import groups
from crm_contact_guard.detection.text.normalise import Normalised
from crm_contact_guard.detection.types import Company, Direction, Finding, Kind

VERSION = packs.read("sensitive")["version"]
CARD, MY_NUMBER = "sensitive.card", "sensitive.my_number"
#: Maximum number of findings of each sort in one message, to bound the cost of hostile text.
MAX_FINDINGS = 50
#: Maximum number of digit groups evaluated in long runs. A single finding covers the rest (see ``flood``).
MAX_GROUPS = 2_000
_MASK = "•"

_RUN = re2.compile(r"\d(?:[ .・-]{0,2}\d){11,}")
_GROUP = re2.compile(r"\d+")
#: Lengths of the groups of digits as printed on cards.
_PRINTED = frozenset({(4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3), (4, 4, 4, 1), (4, 4, 4, 2), (8, 8), (6, 10)})
_BEFORE, _AFTER = 40, 16

_NAMES = re2.compile(groups("number.card", "number.mine", "number.other"))


def find(normalised: Normalised, direction: Direction, company: Company) -> Iterable[Finding]:
    """Return findings of kind ``sensitive_data``, at most ``MAX_FINDINGS`` of each sort. Linear in the text.

    If there are more, a finding ``sensitive.flood`` covers the rest of the text.
    """
    del direction, company  # this data is sensitive from either side, whatever the company allows
    gates = normalised.gates
    if gates is None:
        gates = opened(normalised.text, SENSITIVE)
    if SENSITIVE.isdisjoint(gates):
        return []
    findings: list[Finding] = []
    if LONG_NUMBER in gates:
        findings.extend(_numbers(normalised))
    if SECRET_NAME in gates:
        findings.extend(find_credentials(normalised, VERSION, MAX_FINDINGS))
    return sorted(findings, key=lambda finding: (finding.start, finding.end))


def _numbers(normalised: Normalised) -> Iterator[Finding]:
    text = normalised.text
    count = group_count = 0
    for run in _RUN.finditer(text):
        start, end = run.span()
        groups: list[tuple[int, int]] = []
        for group in _GROUP.finditer(text[start:end]):
            if group_count >= MAX_GROUPS:
                yield flood(normalised, start, VERSION)
                return
            groups.append((start + group.start(), start + group.end()))
            group_count += 1
        for detector, first, last, score in _readings(text, groups):
            low, high = normalised.span(first, last)
            yield Finding(Kind.SENSITIVE_DATA, low, high, score, detector, VERSION)
            count += 1
            if count >= MAX_FINDINGS:
                yield flood(normalised, last, VERSION)
                return


def _readings(text: str, groups: Sequence[tuple[int, int]]) -> Iterator[tuple[str, int, int, float]]:
    """Yield (detector, start, end, score) for each card or My Number among neighbouring groups, leftmost first."""
    index = 0
    while index < len(groups):
        reading = _longest(text, groups, index)
        if reading is None:
            index += 1
            continue
        detector, count, score = reading
        yield detector, groups[index][0], groups[index + count - 1][1], score
        index += count


def _longest(text: str, groups: Sequence[tuple[int, int]], index: int) -> tuple[str, int, float] | None:
    for count in (5, 4, 3, 2, 1):
        part = groups[index : index + count]
        if len(part) < count:
            continue
        reading = _read(text, part)
        if reading is not None:
            return reading[0], count, reading[1]
    if index == 0 and len(groups) >= 12 and all(end - start == 1 for start, end in groups):
        reading = _read(text, groups)  # spelled out digit by digit
        if reading is not None:
            return reading[0], len(groups), reading[1]
    return None


def _read(text: str, part: Sequence[tuple[int, int]]) -> tuple[str, float] | None:
    start, end = part[0][0], part[-1][1]
    if not 12 <= sum(last - first for first, last in part) <= 19:
        return None
    digits = "".join(text[first:last] for first, last in part)
    if len(digits) == 12 and is_my_number(digits):
        return (MY_NUMBER, 0.99) if _named(text, start, end) == "mine" else None
    if not 13 <= len(digits) <= 19 or not is_card(digits):
        return None
    name = _named(text, start, end)
    if name == "card":
        return CARD, 0.99
    if name is not None:
        return None
    shape = tuple(last - first for first, last in part)
    if shape in _PRINTED:
        return CARD, 0.9
    if len(shape) == 1 or all(length == 1 for length in shape):
        return CARD, 0.6
    return None


def _named(text: str, start: int, end: int) -> str | None:
    """Return the label of the number: the nearest one before it or, if there is none, the first one after it."""
    nearest = None
    for match in _NAMES.finditer(text[max(0, start - _BEFORE) : start]):
        nearest = match
    if nearest is None:
        nearest = _NAMES.search(text[end : end + _AFTER])
    if nearest is None:
        return None
    return next(name for name in ("card", "mine", "other") if nearest.group(name) is not None)


def mask(text: str, findings: Iterable[Finding]) -> str:
    """Return ``text`` with the spans of the ``sensitive_data`` findings masked, for display.

    The last four digits of a card number are kept, so that people can refer to it; everything else is masked. The
    length does not change, so offsets of other findings stay valid. Findings of other kinds, and spans outside the
    text, are ignored.
    """
    characters = list(text)
    for finding in findings:
        if finding.kind is not Kind.SENSITIVE_DATA:
            continue
        keep = 4 if finding.detector == CARD else 0
        for offset in range(min(finding.end, len(characters)) - 1, max(finding.start, 0) - 1, -1):
            character = text[offset]
            if keep and character.isdigit():
                keep -= 1
            elif not keep and (finding.detector not in (CARD, MY_NUMBER) or character.isalnum()):
                characters[offset] = _MASK
    return "".join(characters)
