"""Finds passwords, PINs, one-time codes and card security codes that are written out in a message."""

from __future__ import annotations

from collections.abc import Iterator

import re2

from crm_contact_guard.detection.sensitive.words import any_of, groups
from crm_contact_guard.detection.text.normalise import Normalised
from crm_contact_guard.detection.types import Finding, Kind

CREDENTIAL = "sensitive.credential"

#: Names of secrets. A text without any of them contains no credential.
SECRET = groups("secret.word", "secret.digits", "secret.once")
_LINK = (
    r"(?P<link>[ 　]*(?:for (?:my |the |our |your )?[a-z ]{1,30} )?(?:(?:is|was|are|=|:|->|→|⇒|は|が|を)[ 　]*){0,2}"
    r"(?:now |still |just |currently |いま|今|次の(?:通り|とおり)(?:です)?[。:]?|以下です[。:]?)?[ 　\n]*)"
)
_VALUE = r"""(?P<open>["'「『(\[`]?)(?P<value>[!#-&*-Z\\^_a-z|~]{3,64})"""
#: Labels are matched first. The value is then matched only in the characters that follow a label, so that consecutive
#: labels ("ワンタイムパスワードの認証コードは…") don't hide one another.
_LABEL = re2.compile(SECRET)
_GIVEN_VALUE = re2.compile(_LINK + _VALUE)
_REACH = 110
#: Maximum number of labels evaluated in one text. A single finding covers the text after them, so that the cost stays
#: bounded and nothing is skipped silently.
MAX_LABELS = 200
FLOOD = "sensitive.flood"

_DIGIT = re2.compile(r"\d")
_LETTERS = re2.compile(r"[a-z]+")
#: Words that describe a password rather than being one.
_REMARK = re2.compile(f"(?:{any_of('secret.remark')})")
_COUNTED = re2.compile(r"\s?(?:文字|桁|回|分|時|秒|日|月|年|件|char|letter|digit|times|minute|min\b|hour|second|day|%)")
_NOT_A_VALUE = re2.compile(r"(?:https?:|www\.|[*•.x_-]+$|\d{1,2}[:/-]\d{1,2}|[^@]+@[^@]+\.[a-z]+$|<|\d+[-~]\d+$)")
#: What a credential gives access to: an account, or a door, file, network or meeting. The nearest word decides.
_OPENS = re2.compile(groups("opens.account", "opens.thing"))
_LOOK_BACK, _LOOK_AHEAD = 45, 24


def find_credentials(normalised: Normalised, version: str, limit: int) -> Iterator[Finding]:
    """Yield findings for the values of named secrets.

    A finding spans only the value, so that the sentence stays legible when it is masked.
    """
    text = normalised.text
    last_end = -1
    for number, label in enumerate(_LABEL.finditer(text)):
        if number >= MAX_LABELS:
            yield flood(normalised, label.start(), version)
            return
        if label.start() < last_end:
            continue
        match = _GIVEN_VALUE.match(text[label.end() : label.end() + _REACH])
        if match is None:
            continue
        start = label.end() + match.start(3)
        value = match.group("value").rstrip(".,;:?)'")
        sort = next(name for name in ("word", "digits", "once") if label.group(name) is not None)
        end = start + len(value)
        linked = match.group("link").strip() != ""
        delimited = match.group("open") != "" or ":" in match.group("link") or "=" in match.group("link")
        if not _plausible(value, sort, linked=linked, closed=delimited, rest=text[end : end + 12]):
            continue
        if _opens_a_thing(text, label.start(), end):
            continue
        last_end = end
        low, high = normalised.span(start, end)
        yield Finding(Kind.SENSITIVE_DATA, low, high, 0.95 if linked else 0.8, CREDENTIAL, version)
        limit -= 1
        if limit <= 0:
            yield flood(normalised, end, version)
            return


def flood(normalised: Normalised, start: int, version: str) -> Finding:
    """Return a finding that covers the unread rest of the text from ``start``."""
    low = normalised.span(start, len(normalised.text))[0]
    return Finding(Kind.SENSITIVE_DATA, low, len(normalised.original), 0.5, FLOOD, version)


def _plausible(value: str, sort: str, *, linked: bool, closed: bool, rest: str) -> bool:
    if len(set(value)) == 1 and not value.isdigit():
        return False
    if _NOT_A_VALUE.match(value) or _COUNTED.match(rest):
        return False
    if sort == "digits":
        return value.isdigit() and 3 <= len(value) <= 8
    if sort == "once":
        return 4 <= len(value) <= 12 and _DIGIT.search(value) is not None
    if len(value) < 4:
        return False
    if _DIGIT.search(value) is None:
        # A bare word is a password only if it is quoted or ends its sentence after "is".
        if _REMARK.fullmatch(value):
            return False
        ends_sentence = not rest.strip() or rest[0] in ".!,;。、\n"
        return closed or (linked and ends_sentence and _LETTERS.fullmatch(value) is not None)
    return linked or closed


def _opens_a_thing(text: str, start: int, end: int) -> bool:
    nearest = None
    for match in _OPENS.finditer(text[max(0, start - _LOOK_BACK) : start]):
        nearest = match
    if nearest is None:
        nearest = _OPENS.search(text[start : end + _LOOK_AHEAD])
    return nearest is not None and nearest.group("thing") is not None
