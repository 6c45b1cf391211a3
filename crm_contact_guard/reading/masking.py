"""Replaces names, addresses, phone numbers, links and other numbers with placeholders that name their owner.

A value has the same placeholder throughout a conversation, so that "call [PHONE 1 of customer]" and the company's own
number can be told apart. The placeholder for an identifier that is evidence also describes its shape, but never reveals
its value. No I/O; runs in linear time.
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

#: Folds full-width characters one to one, so that offsets remain valid. All separators of digits become hyphens.
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
#: Kinds that remain visible. They are matched only to prevent their digits from being masked as numbers.
_PLAIN: Final = ("DATE",)
#: Text masked by ``detection.masked``, including the last digits of a card number, which it leaves visible.
_HIDDEN: Final = re.compile(r"•(?:[ .-]{0,2}[•\d])*")
_PARTS: Final = re.compile(r"[\s　・,]+")


@dataclass(frozen=True, kw_only=True)
class People:
    """The people in a conversation: their names, the customer's known addresses, and the company's own contacts."""

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
    """Masks the messages of one conversation, in order."""

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
        """Return the text as the reader sees it. ``evidence`` contains the spans of identifiers in findings."""
        folded = text.translate(FOLDED)
        out, after = [], 0
        for span in _apart(self._spans(text, folded, evidence)):
            out += [text[after : span.start], self._placeholder(folded[span.start : span.end], span, side)]
            after = span.end
        return "".join([*out, text[after:]])

    def _spans(self, text: str, folded: str, evidence: Sequence[tuple[int, int]]) -> Iterator[_Span]:
        hidden = detection.masked(text)
        yield from (_Span(*match.span(), "SECRET") for match in _HIDDEN.finditer(hidden) if text != hidden)
        seen = [
            _Span(match.start(), match.end(), kind) for kind, pattern in _KINDS for match in pattern.finditer(folded)
        ]
        for first, last in evidence:
            # Mask all of the identifier, even if only a part looks like a number, as in hanako_1234567.
            within = [span for span in seen if span.start < last and first < span.end]
            start, end = min([first, *(span.start for span in within)]), max([last, *(span.end for span in within)])
            if start < end:
                yield _Span(start, end, within[0].kind if within else "ID", evidence=True)
        yield from seen
        for owner, pattern in self._names:
            yield from (_Span(*match.span(), f"NAME of {owner}") for match in pattern.finditer(folded))

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
        description = shape(span.kind, value, self._regions) if span.evidence else ""
        return f"[{self._given[key]}: {description}]" if description else f"[{self._given[key]}]"

    def _owner(self, value: str, kind: str) -> str:
        if kind == "EMAIL" and value.rpartition("@")[2].casefold().endswith(self._domains or ("\0",)):
            return "company"
        return self._owners.get(_key(value), "")


def _apart(spans: Iterable[_Span]) -> Iterator[_Span]:
    """Return the spans without overlaps, sorted by start. Of overlapping spans, the first one given wins."""
    chosen: list[_Span] = []
    for span in spans:
        if not any(span.start < other.end and other.start < span.end for other in chosen):
            chosen.append(span)
    return iter(sorted(chosen, key=lambda span: span.start))


def _of_company(company: Company) -> Iterator[str]:
    yield from (*company.phones, *company.emails, *company.urls, *company.handles)


def _key(value: str) -> str:
    """Return a key shared by all notations of a value: a number's last nine digits, or case-folded text."""
    digits = re.sub(r"\D", "", value)
    if len(digits) >= 6 and not re.search(r"[^\W\d_]", value):
        return digits[-9:]
    return value.casefold().rstrip("/.")


def _names(owner: str, names: Iterable[str]) -> Iterator[tuple[str, re.Pattern[str]]]:
    """Yield a pattern for each name and its parts, longest first. Skip single characters: 林 also means "forest"."""
    parts = {part for name in names for part in (name.strip(), *_PARTS.split(name)) if len(part) >= 2}
    for part in sorted(parts, key=len, reverse=True):
        words = re2.escape(part.translate(FOLDED))
        yield owner, re2.compile(rf"(?i)\b{words}\b" if part.isascii() else words)
