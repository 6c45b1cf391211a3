"""Recognises the speakers in chat exports, copied chats and dialogues, and determines which of them wrote the text.

A speaker who can't be identified is unknown; an unknown speaker's words are judged as the writer's.
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
#: WhatsApp on iOS and Android, and chats with a time in brackets.
_STAMPED = re.compile(
    rf"(?:\[(?:{_DATE},?\s)?{_TIME}\]|{_DATE},?\s{_TIME}\s[-–])\s?(?:(?P<name>[^:：]{{1,60}})[:：]\s?(?=\S)|(?P<alone>[^:：]{{1,60}}$))"
)
#: LINE: time, name and text, separated by tabs or spaces.
_LINE = re.compile(rf"{_TIME}(?:\t(?P<name>[^\t]{{1,60}})\t|[ \u3000](?P<first>[^\s]{{1,30}})[ \u3000]+(?=\S))")
#: Slack and Teams: name and time on a separate line.
_HEAD = re.compile(rf"(?P<name>\D.{{0,40}}?)\s{{1,4}}\[?(?:{_DATE},?\s)?{_TIME}\]?:?")
_LABEL = re.compile(r"(?P<name>[^\s:：「」。、|/<>@][^:：「」。、|<>@\n]{0,24}?)\s?[:：]\s?(?=\S)")
_GREETING = re.compile(
    r"(?:(?:dear|hi|hello|hey)\s+(?:mr|mrs|ms|miss|dr)?\.?\s*([a-z]{2,20})|([^\s、。,]{1,8}?)\s?(?:様|さま))"
)
_NOT_NAMED = re.compile(r"\d{4}|@|_|https?|www|\d[\d\s\-]{6,}")


class _Speech(NamedTuple):
    line: int
    name: str
    label: int
    form: str


def mark(lines: Sequence[Line], marks: list[Mark | None], direction: Direction) -> None:
    """Mark the lines of the speakers in a chat or dialogue."""
    speeches = [speech for at, line in enumerate(lines) if marks[at] is None and (speech := _speech(at, line))]
    speeches = _talk(lines, speeches, direction)
    if not speeches:
        return
    whose = _decide(speeches, lines, direction)
    region = 10_000
    for number, one in enumerate(speeches):
        last = speeches[number + 1].line if number + 1 < len(speeches) else len(lines)
        region += 1
        owner = whose[one.name]
        marks[one.line] = Mark(owner, Part.SPEECH, one.label, region)
        if one.form == "label" and len(speeches) < 3:
            continue
        for at in range(one.line + 1, last):
            if marks[at] is not None or lines[at].apart or MARKED.match(lines[at].text) or is_chat_line(lines[at].text):
                break
            marks[at] = Mark(owner, Part.SPEECH, region=region)
    for at in range(len(lines)):
        if marks[at] is None and is_chat_line(lines[at].text):
            marks[at] = Mark(Whose.NOBODY, Part.LABEL)


def _speech(at: int, line: Line) -> _Speech | None:
    text = line.text
    if text[0] in "0123456789[":
        match = _STAMPED.match(text)
        if match:
            alone = match["alone"]
            if alone is not None:
                return None if len(alone) > 30 else _Speech(at, _plain(alone), match.end(), "head")
            return _Speech(at, _plain(match["name"]), match.end(), "stamped")
        match = _LINE.match(text)
        if match:
            if match["name"]:
                return _Speech(at, _plain(match["name"]), match.end(), "stamped")
            return _Speech(at, _plain(match["first"]), match.end(), "spaced")
        return None
    match = _HEAD.fullmatch(text) if len(text) <= 70 else None
    if match:
        return _Speech(at, _plain(match["name"]), len(text), "head")
    match = _LABEL.match(text)
    return _Speech(at, _plain(match["name"]), match.end(), "label") if match else None


def _plain(name: str) -> str:
    return name.strip(" \t~～*・-–").lower()


def _talk(lines: Sequence[Line], speeches: list[_Speech], direction: Direction) -> list[_Speech]:
    """Return the labelled lines that form a conversation.

    They are all in the same format, and have at least two turns or a known speaker.
    """
    speeches = [
        one
        for one in speeches
        if one.name and not _NOT_NAMED.search(one.name) and one.name not in names("speaker", "field")
    ]
    forms = Counter(one.form for one in speeches)
    days = any(is_chat_line(line.text) for line in lines[:6])
    if forms["stamped"] >= 2 or (forms["stamped"] and days):
        return [one for one in speeches if one.form == "stamped"]
    spaced = [one for one in speeches if one.form == "spaced"]
    if spaced and (days or (len(spaced) >= 2 and len({one.name for one in spaced}) < len(spaced))):
        return [_with_second(one, lines[one.line].text) for one in spaced]
    if forms["head"] >= 2:
        return [one for one in speeches if one.form == "head"]
    labelled = [one for one in speeches if one.form == "label"]
    roles = {_role(one.name) for one in labelled} - {""}
    if roles and (len(labelled) >= 2 or direction is Direction.NOTE):
        often = Counter(one.name for one in labelled)
        greeted = _greeted(lines)
        return [one for one in labelled if _role(one.name) or often[one.name] >= 2 or _is_of(one.name, greeted)]
    return []


def _with_second(one: _Speech, text: str) -> _Speech:
    """Add the second word to the speaker's name if it is a role at the company, as in "10:32 Hana 店長 …"."""
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
    greeted = set()
    for line in lines[:3]:
        match = _GREETING.match(line.text.lower())
        if match:
            greeted.add(match[1] or match[2])
    return greeted


def _is_of(name: str, greeted: set[str]) -> bool:
    return any(other == name or name.startswith((other + " ", other + "様", other + "さん")) for other in greeted)


def _decide(speeches: Sequence[_Speech], lines: Sequence[Line], direction: Direction) -> dict[str, Whose]:
    """Decide whose words each speaker's lines are."""
    inbound = direction is Direction.INBOUND
    speakers = list(dict.fromkeys(one.name for one in speeches))
    roles = {name: _role(name) for name in speakers}
    company = Whose.OTHER if inbound else Whose.WRITER
    customer = Whose.WRITER if inbound else Whose.OTHER
    has_company = "company" in roles.values()
    whose: dict[str, Whose] = {}
    for name, role in roles.items():
        if role == "you":
            role = "customer" if has_company else "own"
        if role:
            whose[name] = company if role == "company" else customer if role == "customer" else Whose.WRITER
    greeted = _greeted(lines)
    writer_known = Whose.WRITER in whose.values()
    for name in speakers:
        if name not in whose:
            # If the writer is known, everybody else is the other side. A customer's greeting doesn't name a customer.
            other = writer_known or (not inbound and direction is not Direction.NOTE and _is_of(name, greeted))
            whose[name] = Whose.OTHER if other else Whose.UNKNOWN
    return whose


def label_hides(label: str) -> bool:
    """Whether a label contains more than a name and a time, in which case it is scanned as text."""
    bare = re.sub(rf"{_DATE}|{_TIME}", " ", label)
    return ADDRESS.search(bare) is not None or _NOT_NAMED.search(bare.lower()) is not None
