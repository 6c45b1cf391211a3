"""What the reader needn't see becomes a placeholder that says of whom it is: names, mails, phones, links, numbers.

The same value gets the same placeholder throughout a talk, so that "call [PHONE 1 of customer]" and the company's own
number stay told apart. Where the identifier is itself the evidence, its shape is told beside it, never the value.
Pure; linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import re2

from crm_contact_guard import detection
from crm_contact_guard.detection.types import By, Company
from crm_contact_guard.reading.shapes import shape

#: Full-width letters, digits and signs, one for one, so that offsets stay. Dashes and middle dots part digits alike.
FOLDED: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | dict.fromkeys(
    map(ord, "‐‑‒–—―−ー・"), ord("-")
)

_KINDS: Final = (
    ("EMAIL", re2.compile(r"[A-Za-z0-9._+%-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")),
    (
        "LINK",
        re2.compile(
            r"(?i)(?:https?://|www\.)[^\s<>\"'、。」）)]+"
            r"|(?:line\.me|lin\.ee|t\.me|wa\.me|m\.me|instagram\.com|facebook\.com|x\.com|discord\.gg)/[^\s<>\"'、。」）)]+"
        ),
    ),
    ("DATE", re2.compile(r"(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2}")),
    ("PHONE", re2.compile(r"(?:\+|\(?0)\(?\d[\d ()-]{6,16}\d")),
    (
        "ADDRESS",
        re2.compile(
            r"〒\d{3}-\d{4}|(?:東京都|北海道|大阪府|京都府|\p{Han}{2,3}県)[^\s、。]{2,20}?\d[\d-]*(?:丁目|番地?|号|-\d+)*"
            r"|\p{Han}{1,6}[市区町村]\p{Han}{1,8}\d[\d-]*(?:丁目|番地?|号)*"
            r"|(?i:\b\d{1,5} (?:[a-z]+ ){1,3}(?:street|st|road|rd|avenue|ave|lane|drive|boulevard)\b)"
        ),
    ),
    ("NUMBER", re2.compile(r"\d(?:[ -]?\d){5,}")),
)
#: Shapes that are told nowhere and hidden nowhere: they keep their digits from counting as numbers.
_PLAIN: Final = ("DATE",)
#: What ``detection.masked`` hid, with the last digits that it leaves for people to recognise a card by.
_HIDDEN: Final = re.compile(r"•(?:[ .-]{0,2}[•\d])*")
_PARTS: Final = re.compile(r"[\s　・,]+")


@dataclass(frozen=True, kw_only=True)
class People:
    """Whom the talk is between: their names, the customer's known addresses, and what belongs to the company."""

    customer_names: tuple[str, ...] = ()
    employee_names: tuple[str, ...] = ()
    customer_addresses: tuple[str, ...] = ()
    company: Company = field(default_factory=Company)


@dataclass(frozen=True)
class _Span:
    start: int
    end: int
    kind: str
    evidence: bool = False


class Masker:
    """Masks the messages of one talk, in their order."""

    def __init__(self, people: People) -> None:
        self._names = [*_names("customer", people.customer_names), *_names("employee", people.employee_names)]
        self._owners = dict.fromkeys((_key(value) for value in _of_company(people.company)), "company")
        self._domains = tuple(domain.casefold() for domain in people.company.domains)
        self._owners |= dict.fromkeys((_key(value) for value in people.customer_addresses), "customer")
        self._owners.pop("", None)
        self._regions = people.company.regions
        self._given: dict[tuple[str, str], str] = {}
        self._counts: dict[tuple[str, str], int] = {}

    def mask(self, text: str, side: By, evidence: Sequence[tuple[int, int]] = ()) -> str:
        """The text as the reader sees it. ``evidence``: where identifiers stand that made the finding."""
        folded = text.translate(FOLDED)
        out, after = [], 0
        for span in _apart(self._spans(text, folded, evidence)):
            out += [text[after : span.start], self._placeholder(folded[span.start : span.end], span, side)]
            after = span.end
        return "".join([*out, text[after:]])

    def _spans(self, text: str, folded: str, evidence: Sequence[tuple[int, int]]) -> Iterator[_Span]:
        hidden = detection.masked(text)
        yield from (_Span(*found.span(), "SECRET") for found in _HIDDEN.finditer(hidden) if text != hidden)
        seen = [
            _Span(found.start(), found.end(), kind) for kind, pattern in _KINDS for found in pattern.finditer(folded)
        ]
        for first, last in evidence:
            # All of it goes, also where only a part looks like a number: hanako_1234567.
            within = [span for span in seen if span.start < last and first < span.end]
            start, end = min([first, *(span.start for span in within)]), max([last, *(span.end for span in within)])
            if start < end:
                yield _Span(start, end, within[0].kind if within else "ID", evidence=True)
        yield from seen
        for owner, pattern in self._names:
            yield from (_Span(*found.span(), f"NAME of {owner}") for found in pattern.finditer(folded))

    def _placeholder(self, value: str, span: _Span, side: By) -> str:
        if span.kind in _PLAIN:
            return value
        if span.kind.startswith("NAME") or span.kind == "SECRET":
            return f"[{span.kind}]"
        owner = self._owner(value, span.kind) or side.value
        key = span.kind, _key(value)
        if key not in self._given:
            self._counts[span.kind, owner] = self._counts.get((span.kind, owner), 0) + 1
            self._given[key] = f"{span.kind} {self._counts[span.kind, owner]} of {owner}"
        told = shape(span.kind, value, self._regions) if span.evidence else ""
        return f"[{self._given[key]}: {told}]" if told else f"[{self._given[key]}]"

    def _owner(self, value: str, kind: str) -> str:
        if kind == "EMAIL" and value.rpartition("@")[2].casefold().endswith(self._domains or ("\0",)):
            return "company"
        return self._owners.get(_key(value), "")


def _apart(spans: Iterable[_Span]) -> Iterator[_Span]:
    """Spans that do not overlap: what comes first, and of those the most telling kind, as they were given."""
    taken: list[_Span] = []
    for span in spans:
        if not any(span.start < other.end and other.start < span.end for other in taken):
            taken.append(span)
    return iter(sorted(taken, key=lambda span: span.start))


def _of_company(company: Company) -> Iterator[str]:
    yield from (*company.phones, *company.emails, *company.urls, *company.handles)


def _key(value: str) -> str:
    """One for the same thing however it is written: the last nine digits of a number, else small letters."""
    digits = re.sub(r"\D", "", value)
    if len(digits) >= 6 and not re.search(r"[^\W\d_]", value):
        return digits[-9:]
    return value.casefold().rstrip("/.")


def _names(owner: str, names: Iterable[str]) -> Iterator[tuple[str, re.Pattern[str]]]:
    """A pattern for each name and for its parts, longest first. One sign alone is left: 林 is also a wood."""
    parts = {part for name in names for part in (name.strip(), *_PARTS.split(name)) if len(part) >= 2}
    for part in sorted(parts, key=len, reverse=True):
        words = re2.escape(part.translate(FOLDED))
        yield owner, re2.compile(rf"(?i)\b{words}\b" if part.isascii() else words)
