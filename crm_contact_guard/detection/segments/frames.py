"""Recognises the frames that email clients put around quotes: attribution lines, header blocks and quote marks.

A line counts as a frame only if it can't contain anything else. It must have an address or date in the right place, no
other digits and only a few words. "From: me / To: you" is not a frame.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import re2

from crm_contact_guard.detection.segments.types import Line, Mark, Part, Whose
from crm_contact_guard.detection.segments.words import alternatives, names, sought, words

#: Quote marks. An emoticon such as ">_<" is not one.
MARKED = re.compile(r"[>＞](?![_.．<＜]{1,2}[<＜ ])|[|｜](?!.*[|｜]\s*$)")
ADDRESS = re.compile(r"[^\s<>@＠()\[\]:：、,]{1,100}@[^\s<>@()\[\]:：、,]{1,100}")
_DATE = re.compile(
    r"(?:19|20)\d\d\s?[年/.\-]\s?\d{1,2}\s?[月/.\-]\s?\d{1,2}|\d{1,2}[./\-]\d{1,2}[./\-]\d{2,4}|(?<!\d)(?:19|20)\d\d년|\b20\d\d\b|\d{1,2}:\d\d"
)
_TIMES = re.compile(
    r"\d{4}\s?[年/.\-년]|\d{1,2}\s?[月日時分/.\-:：월일]\s?|\b\d{1,2}\b|\b(?:19|20)\d\d\b|[+\-]\d{4}\b|\(?(?:gmt|utc)[^)\s]*\)?"
)
_RULE = re.compile(r"[-_=＝─━*＊\s—―]{2,}")
_RE = re.compile(r"^(?:\s*(?:re|fw|fwd|aw|wg|tr|rv|sv|vs|res|enc|返信|転送)\s*[:：])+\s*", re.IGNORECASE)
_LINK = re.compile(r"<?https?://\S{1,60}>?")
_TOKEN = re.compile(r"[^\W_]+")
#: Device models such as "s23" and "15".
_MODEL = re.compile(r"[a-z]{0,2}\d{1,2}[a-z]?")
#: A date alone on a line, such as "2026/03/12(木)" in exports.
_DAY = re.compile(
    r"(?:19|20)\d\d[/.年\-]\s?\d{1,2}[/.月\-]\s?\d{1,2}日?\s*[(（]?(?:[月火水木金土日](?:曜日?)?|[A-Za-z]{3,9})?[)）]?"
)
#: Maximum length of an attribution line, not counting dates and addresses.
_MOST_BESIDE = 100
_KINDS = ("from", "date", "to", "more", "subject")


@lru_cache(maxsize=1)
def _header() -> re2._Regexp:
    kinds = "|".join(f"(?P<{kind}>{alternatives('header', kind)})" for kind in _KINDS)
    return re2.compile(rf"(?s)[*_\s>＞]{{0,6}}(?:{kinds})[*_\s]{{0,4}}[:：][*_]{{0,2}}\s*(?P<value>.*)")


@lru_cache(maxsize=1)
def _original() -> re2._Regexp:
    ends = r"[-_=＝─━*＊\s—―>]"
    begin = alternatives("frame", "begin")
    return re2.compile(rf"(?:{ends}{{2,}}{alternatives('frame', 'original')}.{{0,40}}?{ends}{{0,80}}|{begin}\s*[:：]?)")


def mark(lines: Sequence[Line], marks: list[Mark | None]) -> None:
    """Mark quotes and frames among the unmarked lines."""
    index, region = 0, 1
    while index < len(lines):
        if marks[index] is not None:
            index += 1
            continue
        line = lines[index]
        if MARKED.match(line.text) and (line.text[0] not in "|｜" or _bars(lines, index)):
            marks[index] = Mark(Whose.OTHER, Part.QUOTE, region=region)
            index += 1
            continue
        count, opens = _frame(lines, index)
        if not count:
            index += 1
            continue
        region += 1
        for at in range(index, index + count):
            marks[at] = Mark(*_of_frame(lines[at]), region=region)
        index += count
        if opens and index < len(lines) and not MARKED.match(lines[index].text) and not (_frame(lines, index)[0]):
            # No quote marks follow, so the email client quotes without them, up to the end of the text.
            for at in range(index, len(lines)):
                if marks[at] is None:
                    marks[at] = Mark(Whose.OTHER, Part.QUOTE, region=region)
            return


def _bars(lines: Sequence[Line], index: int) -> bool:
    return any(0 <= at < len(lines) and lines[at].text[:1] in ("|", "｜") for at in (index - 1, index + 1))


def _of_frame(line: Line) -> tuple[Whose, Part]:
    """Return the owner and type of a frame line. A subject was written by a person, the rest by the email client."""
    match = _header().match(line.text.lower())
    return (Whose.OTHER, Part.QUOTE) if match and match["subject"] else (Whose.NOBODY, Part.FRAME)


def _frame(lines: Sequence[Line], index: int) -> tuple[int, bool]:
    """Return the number of frame lines from ``index`` on, and whether everything after them is a quote."""
    text = lines[index].text
    lowered = text.lower()
    if _original().fullmatch(lowered):
        block = _headers(lines, index + 1, strict=False)
        return 1 + block, True
    if _RULE.fullmatch(text) and len(text) >= 3:
        block = _headers(lines, index + 1, strict=True)
        return (1 + block, True) if block else (0, False)
    if any(mark in lowered[:16] for mark in (":", "：")) or "：" in lowered or ":" in lowered:
        block = _headers(lines, index, strict=True)
        if block:
            return block, True
    return _attribution(lines, index)


def _headers(lines: Sequence[Line], index: int, *, strict: bool) -> int:
    """Return the number of header lines from ``index`` on. ``strict`` requires an address or date as proof."""
    values: dict[str, str] = {}
    count = 0
    for at in range(index, min(len(lines), index + 14)):
        match = _header().match(lines[at].text.lower())
        if match is None:
            if count and _RULE.fullmatch(lines[at].text) and not lines[at].apart:
                count += 1
                break
            if count and "@" in lines[at].text and not lines[at].apart and not holds_more(lines[at].text.lower()):
                count += 1  # recipients, continued
                continue
            break
        kind = next(kind for kind in _KINDS if match[kind])
        if kind in values and kind != "more":
            break
        value = match["value"].strip()
        if not _is_value(kind, value):
            break
        values[kind] = value
        count += 1
    if not strict:
        return count
    if "from" not in values or len(values) < 2 or not any(values.values()):
        return 0
    return count if "date" in values or ("@" in values["from"] and ("to" in values or "subject" in values)) else 0


def _is_value(kind: str, value: str) -> bool:
    if kind == "subject":
        return True
    if kind == "date":
        return not value or (len(value) <= 80 and any(map(str.isdigit, value)) and "@" not in value) or len(value) < 3
    return len(value) <= 300 and sum(map(str.isdigit, ADDRESS.sub(" ", value))) <= 4


def subject_of(text: str) -> str:
    """Return the value of a header line, without "RE:"."""
    match = _header().match(text.lower())
    return _RE.sub("", match["value"] if match else text)


def _attribution(lines: Sequence[Line], index: int) -> tuple[int, bool]:
    joined = ""
    for count in (1, 2, 3):
        at = index + count - 1
        if at >= len(lines) or (count > 1 and (lines[at].apart or MARKED.match(lines[at].text))):
            return 0, False
        joined = f"{joined} {lines[at].text}".strip().lower()
        if len(joined) > 300:
            return 0, False
        if joined.endswith(_ends()):
            wrote = sought("frame", "wrote").search(joined)
            marked = at + 1 < len(lines) and bool(MARKED.match(lines[at + 1].text))
            address, dated = ADDRESS.search(joined), _DATE.search(joined)
            certain = bool(dated) and bool(wrote or (address and _DATE.match(joined)))
            if holds_more(joined) or not (certain or (marked and (wrote or (address and dated)))):
                return 0, False
            return count, certain and not marked and at + 1 < len(lines)
        if not (_DATE.search(joined) or "@" in joined):
            return 0, False
    return 0, False


@lru_cache(maxsize=1)
def _ends() -> tuple[str, ...]:
    """Return the endings that an attribution line may have."""
    return (":", "：", *words("frame", "wrote"))


def holds_more(lowered: str) -> bool:
    """Whether the line contains more than names, dates and addresses."""
    rest = _TIMES.sub(" ", ADDRESS.sub(" ", lowered.replace("mailto:", "")))
    return len(rest) > _MOST_BESIDE or sum(map(str.isdigit, rest)) > 2 or "@" in rest or "_" in rest or "://" in rest


def is_device(text: str) -> bool:
    """Whether a line is only a device signature: "Sent from my iPhone", not "from my heart"."""
    lowered = text.lower()
    if len(lowered) > 90 or not sought("frame", "sent").search(lowered):
        return False
    bare = sought("frame", "sent").sub(" ", _LINK.sub(" ", lowered))
    tokens = _TOKEN.findall(bare)
    ordinary = names("frame", "device", "beside_device")
    others = [token for token in tokens if token not in ordinary]
    return (
        any(token in names("frame", "device") for token in tokens)
        and len(others) <= 2
        and all(_MODEL.fullmatch(token) for token in others)
    )


def is_chat_line(text: str) -> bool:
    """Whether a chat or ticket program generated the line, such as the title of an export or a date."""
    lowered = text.lower()
    if len(lowered) > 160:
        return False
    match = sought("frame", "chat").search(lowered)
    if match is None:
        return _DAY.fullmatch(text) is not None
    return not holds_more(lowered) and 3 * (match.end() - match.start()) >= len(_TIMES.sub("", lowered))
