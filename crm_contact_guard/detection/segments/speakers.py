"""Chat exports, copies of chats, and dialogues: who speaks in a line, and which speaker wrote the text.

A speaker whom nothing tells apart is unknown, and what unknown people say is judged as the writer's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from crm_contact_guard.detection.segments.frames import ADDRESS, MARKED, is_chat_line
from crm_contact_guard.detection.segments.types import Line, Mark, Part, Whose
from crm_contact_guard.detection.segments.words import names, sought
from crm_contact_guard.detection.types import Direction

_TIME = r"\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?:\s?[AaPp]\.?[Mm]\.?)?"
_DATE = r"\d{1,4}[./\-]\d{1,2}[./\-]\d{2,4}"
#: WhatsApp on both kinds of telephone, and chats with a time in brackets.
_STAMPED = re.compile(
    rf"(?:\[(?:{_DATE},?\s)?{_TIME}\]|{_DATE},?\s{_TIME}\s[-–])\s?(?:(?P<name>[^:：]{{1,60}})[:：]\s?(?=\S)|(?P<alone>[^:：]{{1,60}}$))"
)
#: LINE: time, name and text with tabs or spaces between.
_LINE = re.compile(rf"{_TIME}(?:\t(?P<name>[^\t]{{1,60}})\t|[ \u3000](?P<first>[^\s]{{1,30}})[ \u3000]+(?=\S))")
#: Slack and Teams: name and time in a line of their own.
_HEAD = re.compile(rf"(?P<name>\D.{{0,40}}?)\s{{1,4}}\[?(?:{_DATE},?\s)?{_TIME}\]?:?")
_LABEL = re.compile(r"(?P<name>[^\s:：「」。、|/<>@][^:：「」。、|<>@\n]{0,24}?)\s?[:：]\s?(?=\S)")
_GREETING = re.compile(
    r"(?:(?:dear|hi|hello|hey)\s+(?:mr|mrs|ms|miss|dr)?\.?\s*([a-z]{2,20})|([^\s、。,]{1,8}?)\s?(?:様|さま))"
)
_NOT_NAMED = re.compile(r"\d{4}|@|_|https?|www|\d[\d\s\-]{6,}")


class _Said(NamedTuple):
    line: int
    name: str
    label: int
    form: str


def mark(lines: Sequence[Line], marks: list[Mark | None], direction: Direction) -> None:
    """Mark what the speakers of a chat or dialogue say."""
    said = [found for at, line in enumerate(lines) if marks[at] is None and (found := _said(at, line))]
    said = _talk(lines, said, direction)
    if not said:
        return
    whose = _decide(said, lines, direction)
    region = 10_000
    for number, one in enumerate(said):
        last = said[number + 1].line if number + 1 < len(said) else len(lines)
        region += 1
        holder = whose[one.name]
        marks[one.line] = Mark(holder, Part.SPEECH, one.label, region)
        if one.form == "label" and len(said) < 3:
            continue
        for at in range(one.line + 1, last):
            if marks[at] is not None or lines[at].apart or MARKED.match(lines[at].text) or is_chat_line(lines[at].text):
                break
            marks[at] = Mark(holder, Part.SPEECH, region=region)
    for at in range(len(lines)):
        if marks[at] is None and is_chat_line(lines[at].text):
            marks[at] = Mark(Whose.NOBODY, Part.LABEL)


def _said(at: int, line: Line) -> _Said | None:
    text = line.text
    if text[0] in "0123456789[":
        met = _STAMPED.match(text)
        if met:
            alone = met["alone"]
            if alone is not None:
                return None if len(alone) > 30 else _Said(at, _plain(alone), met.end(), "head")
            return _Said(at, _plain(met["name"]), met.end(), "stamped")
        met = _LINE.match(text)
        if met:
            if met["name"]:
                return _Said(at, _plain(met["name"]), met.end(), "stamped")
            return _Said(at, _plain(met["first"]), met.end(), "spaced")
        return None
    met = _HEAD.fullmatch(text) if len(text) <= 70 else None
    if met:
        return _Said(at, _plain(met["name"]), len(text), "head")
    met = _LABEL.match(text)
    return _Said(at, _plain(met["name"]), met.end(), "label") if met else None


def _plain(name: str) -> str:
    return name.strip(" \t~～*・-–").lower()


def _talk(lines: Sequence[Line], said: list[_Said], direction: Direction) -> list[_Said]:
    """What of the labelled lines is a talk: one form of writing it, and at least two turns or a known speaker."""
    said = [
        one
        for one in said
        if one.name and not _NOT_NAMED.search(one.name) and one.name not in names("speaker", "field")
    ]
    forms = Counter(one.form for one in said)
    days = any(is_chat_line(line.text) for line in lines[:6])
    if forms["stamped"] >= 2 or (forms["stamped"] and days):
        return [one for one in said if one.form == "stamped"]
    spaced = [one for one in said if one.form == "spaced"]
    if spaced and (days or (len(spaced) >= 2 and len({one.name for one in spaced}) < len(spaced))):
        return [_with_second(one, lines[one.line].text) for one in spaced]
    if forms["head"] >= 2:
        return [one for one in said if one.form == "head"]
    labelled = [one for one in said if one.form == "label"]
    roles = {_role(one.name) for one in labelled} - {""}
    if roles and (len(labelled) >= 2 or direction is Direction.NOTE):
        often = Counter(one.name for one in labelled)
        greeted = _greeted(lines)
        return [one for one in labelled if _role(one.name) or often[one.name] >= 2 or _is_of(one.name, greeted)]
    return []


def _with_second(one: _Said, text: str) -> _Said:
    """In "10:32 Hana 店長 …" the second word still belongs to the speaker."""
    second = text[one.label :].split(maxsplit=1)
    if len(second) == 2 and len(second[0]) <= 12 and _role(second[0]) == "company" and len(second[0]) <= 6:
        return one._replace(name=f"{one.name} {second[0]}", label=text.index(second[0], one.label) + len(second[0]) + 1)
    return one


def _role(name: str) -> str:
    if name in names("speaker", "own"):
        return "own"
    if name in names("speaker", "you"):
        return "you"
    if sought("speaker", "company").search(name):
        return "company"
    if name in names("speaker", "customer") or sought("speaker", "customer").match(name):
        return "customer"
    return ""


def _greeted(lines: Sequence[Line]) -> set[str]:
    found = set()
    for line in lines[:3]:
        met = _GREETING.match(line.text.lower())
        if met:
            found.add(met[1] or met[2])
    return found


def _is_of(name: str, greeted: set[str]) -> bool:
    return any(other == name or name.startswith((other + " ", other + "様", other + "さん")) for other in greeted)


def _decide(said: Sequence[_Said], lines: Sequence[Line], direction: Direction) -> dict[str, Whose]:
    """Whose the words of each speaker are."""
    inbound = direction is Direction.INBOUND
    speakers = list(dict.fromkeys(one.name for one in said))
    roles = {name: _role(name) for name in speakers}
    company = Whose.OTHER if inbound else Whose.WRITER
    customer = Whose.WRITER if inbound else Whose.OTHER
    served = "company" in roles.values()
    whose: dict[str, Whose] = {}
    for name, role in roles.items():
        if role == "you":
            role = "customer" if served else "own"
        if role:
            whose[name] = company if role == "company" else customer if role == "customer" else Whose.WRITER
    greeted = _greeted(lines)
    written = Whose.WRITER in whose.values()
    for name in speakers:
        if name not in whose:
            # Beside a known writer the others are the other side; a customer's greeting names no customer.
            other = written or (not inbound and direction is not Direction.NOTE and _is_of(name, greeted))
            whose[name] = Whose.OTHER if other else Whose.UNKNOWN
    return whose


def label_hides(label: str) -> bool:
    """Whether a label says more than who speaks and when: then it is read as well."""
    bare = re.sub(rf"{_DATE}|{_TIME}", " ", label)
    return ADDRESS.search(bare) is not None or _NOT_NAMED.search(bare.lower()) is not None
