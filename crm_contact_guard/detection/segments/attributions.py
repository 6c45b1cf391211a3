"""Finds where an email client begins to quote: attribution lines, header blocks and separators, in many languages.

This module is more lenient than ``frames``, which the scan relies on without further checks. Here, either the record
decides what is really a quote (``conversations/quotes.py``), or the result only affects the display
(``channels/email/quoting.py``). Takes linear time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import re2

from crm_contact_guard.detection.segments.frames import holds_more
from crm_contact_guard.detection.segments.words import alternatives, sought, words

#: How many characters of a line are read.
LONGEST = 400
_AROUND = " \t\r\f\v\u3000\u200e\u200f\ufeff\xa0>＞|｜"
MARKED = re.compile(r"[ \t]{0,3}(?:[>＞](?![_.．<＜]{1,2}[<＜ ])(?!.*<<\s*$)|[a-zA-Z]{1,3}> )")
_ADDRESS = re.compile(r"[^\s<>@()\[\]:：、,]{1,80}@[^\s<>@()\[\]:：、,]{1,80}|<\s*mailto:|noreply")
_DATE = re.compile(
    r"(?:19|20)\d\d\s?[年/.\-년]\s?\d{1,2}|\d{1,2}\s?[./\-]\s?(?:\d{1,2}|[^\W\d_]{3,9}\.?)\s?[./\-]\s?\d{2,4}|\b(?:19|20)\d\d\b"
    r"|\d{1,2}\s?[:.h]\s?\d\d\b|\d{1,2}月\s?\d{1,2}日|[上下]午\s?\d"
)
#: A line with nothing but a date and time.
_IS_DATE = re.compile(r"(?:19|20)\d\d[年/.\-][\d年月日/.\-:： ,()（）月火水木金土日時分]{4,30}")
_NUMERIC_DATE = re.compile(
    r"(?:19|20)\d\d\s?[年/.\-년]\s?\d{1,2}|\d{1,2}[./]\d{1,2}[./](?:19|20)?\d\d\b|\(?[月火水木金土日]\)?\s?\d"
)
_RULE = re.compile(r"[-_=＝─━*＊\s—―–~]{5,}")
_DASHES = re.compile(r"[-_=＝─━*＊—―–~]{2,}")
#: Words and digits that attribution lines begin with, in the languages of email clients.
_BEGINS = re.compile(
    r"(?:on|am|le|el|il|em|op|den|dnia|w dniu|dne|dňa|på|pe|la|vào|pada|tanggal|no dia|a las|the|at|ma|ke|to|ti|su|pt|so|pn|mån|tis|ons|tors|fre|lör|sön|man|tir|tor|lør|søn|"
    r"mon|tue|wed|thu|fri|sat|sun|lun|mar|mer|mié|mi|jeu|jue|ven|vie|sam|sáb|sab|dim|dom|gio|ter|qua|qui|sex|seg|ma|wo|do|vr|za|zo|вс|пн|вт|ср|чт|пт|сб|čt|út|st|pá|在|於|于|[01]?\d|20\d\d|\d)\b"
    r"|在|於|于|\d|\(?[月火水木金土日]",
    re.IGNORECASE,
)
_INLINE = re.compile(
    r"[\s\-_]*\bOn (?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\b|\d{1,2}[/. \-]|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? \d|20\d\d).{0,250}wrote\s?:?[\s\-]*$",
    re.IGNORECASE,
)
_KINDS = ("from", "date", "to", "more", "subject")


class Frame(NamedTuple):
    """The lines of a frame. ``start`` is how many characters of the first line belong to the text above."""

    lines: int
    start: int = 0


@lru_cache(maxsize=1)
def _header() -> re2._Regexp:
    kinds = "|".join(f"(?P<{kind}>{alternatives('header', kind)})" for kind in _KINDS)
    return re2.compile(rf"(?s)[*_\s>＞|【\[]{{0,6}}(?:{kinds})[*_\s】\]]{{0,4}}[:：][*_]{{0,2}}\s*(?P<value>.*)")


@lru_cache(maxsize=1)
def _separator() -> re2._Regexp:
    words = alternatives("frame", "original")
    ends = r"[-_=＝─━*＊—―–~\s>]"
    begin = alternatives("frame", "begin")
    # Other text after the words may be the first header line.
    return re2.compile(rf"(?:{ends}{{2,}}{words}.{{0,60}}?{ends}*|{words}\s*[:：]?{ends}*|>?\s*{begin}\s*[:：]?)")


@lru_cache(maxsize=1)
def _bare_separator() -> re2._Regexp:
    """Match words that are a separator only if there are dashes around them, because people write them too."""
    return re2.compile(
        r"(?:転送|引用元|原文|返信元|reply above|forwarded by|forwarded message|original message|message original)\s*"
    )


@lru_cache(maxsize=1)
def _wrote() -> re2._Regexp:
    """Match a word for "wrote" at the end of a line, with at most a name after it, as in German."""
    return re2.compile(rf"{alternatives('frame', 'wrote')}[^\n]{{0,60}}[:：][\s*\-_>]*$")


@lru_cache(maxsize=1)
def _endings() -> tuple[str, ...]:
    return tuple(words("frame", "wrote"))


def frame_at(lines: Sequence[str], depths: Sequence[int], at: int) -> Frame | None:
    """Return the frame that begins at line ``at``, or None. This line must not be blank.

    All lines must be stripped and at most ``LONGEST`` characters long. ``depths`` holds the number of quote marks
    before each line.
    """
    text = lines[at]
    lowered = text.lower()
    if _separator().fullmatch(lowered) and not _bare_separator().fullmatch(lowered):
        following = _next(lines, at + 1)
        block = _headers(lines, following) if following is not None else 0
        return Frame((following or at) + block - at if block else 1)
    if _RULE.fullmatch(text):
        following = _next(lines, at + 1)
        block = _headers(lines, following) if following is not None else 0
        return Frame(following + block - at) if block and following is not None else None
    if ":" in text or "：" in text:
        block = _headers(lines, at)
        if block:
            return Frame(block)
    return _attribution(lines, depths, at)


def _next(lines: Sequence[str], at: int) -> int | None:
    """Return the index of the first line from ``at`` on that isn't blank, skipping at most two blank lines."""
    return next((index for index in range(at, min(len(lines), at + 3)) if lines[index]), None)


def _headers(lines: Sequence[str], begin: int) -> int:
    """Return the number of lines in a header block, or 0 if it isn't one.

    The block may contain blank lines and continued values.
    """
    kinds: dict[str, str] = {}
    count, blanks = 0, 0
    for at in range(begin, min(len(lines), begin + 16)):
        if not lines[at]:
            blanks += 1
            if blanks > 2 and count:
                break
            continue
        match = _header().match(lines[at].lower())
        if match is None:
            is_continued = kinds and not blanks and ("@" in lines[at] or (len(kinds) < 3 and lines[at][:1] in "<["))
            if not is_continued or count - len(kinds) > 4:
                break
            kinds["to"] = kinds.get("to", "") + lines[at]
            count = at - begin + 1
            continue
        kind = next(kind for kind in _KINDS if match[kind])
        if kind in kinds and kind not in ("more", "to"):
            break
        if not count and kind == "more":
            return 0
        kinds[kind] = match["value"].strip()
        count, blanks = at - begin + 1, 0
    return count if _is_block(kinds) else 0


def _is_block(kinds: dict[str, str]) -> bool:
    """Whether header lines were written by an email client. "From: me, To: you" was not."""
    proven = any("@" in kinds.get(kind, "") or "mailto" in kinds.get(kind, "") for kind in ("from", "to"))
    dated = bool(_DATE.search(kinds.get("date", "")))
    if "from" in kinds:
        return proven or dated or {"date", "to", "subject"} <= set(kinds) or ("date" in kinds and "subject" in kinds)
    return dated and ("to" in kinds or "subject" in kinds)


def _attribution(lines: Sequence[str], depths: Sequence[int], at: int) -> Frame | None:
    inline = _INLINE.search(lines[at])
    if inline is not None:
        return Frame(1, inline.start())
    joined = ""
    blanks = 0
    for index in range(at, min(len(lines), at + 7)):
        line = lines[index]
        if not line:
            blanks += 1
            if blanks > 2 or not (_BEGINS.match(joined.lstrip("-*_ ")) and _DATE.search(joined)):
                return None
            continue
        if depths[index] > depths[at] and not line.endswith(":"):
            return None
        joined = f"{joined} {line}".strip()
        if len(joined) > 350:
            return None
        if _is_attribution(joined, is_marked=_is_deeper(lines, depths, index)):
            dated = index + 1 < len(lines) and _IS_DATE.fullmatch(lines[index + 1]) is not None
            return Frame(index - at + 1 + dated)
        if index == at and not _may_begin(joined):
            return None
    return None


def _is_deeper(lines: Sequence[str], depths: Sequence[int], at: int) -> bool:
    """Whether a marked quote follows the line."""
    following = _next(lines, at + 1)
    return following is not None and depths[following] > depths[at]


def _may_begin(line: str) -> bool:
    return bool(_BEGINS.match(line.lstrip("-*_ "))) or "@" in line or "<" in line


def _is_attribution(joined: str, *, is_marked: bool) -> bool:
    lowered = joined.lower()
    dashed = bool(_DASHES.match(joined) and _DASHES.search(joined[-3:]))
    if not lowered.endswith((":", "：", ">", "-", "*", "_", *_endings())):
        return False
    address, dated = _ADDRESS.search(lowered), _DATE.search(lowered)
    if lowered.rstrip("*_->:：\xa0 ").endswith(_endings()):
        begins = bool(_BEGINS.match(lowered.lstrip("-*_ ")))
        return bool(
            (dated and begins) or (address and (dated or is_marked)) or dashed or (is_marked and len(joined) < 160)
        )
    colon = joined.rstrip("*_- ").endswith((":", "："))
    if colon and dated and (_wrote().search(lowered) or (address and sought("frame", "wrote").search(lowered))):
        return True
    if not dated or not address:
        return False
    starts = bool(_NUMERIC_DATE.match(joined) or _BEGINS.match(lowered.lstrip("-*_ ")))
    if colon:
        return starts or is_marked or lowered.endswith((">:", ">：", "):", "）："))
    return (
        bool(_NUMERIC_DATE.match(joined))
        and lowered.rstrip().endswith((">", ">＞"))
        and (is_marked or len(joined) < 120)
    )


def depth(line: str) -> int:
    """Return the number of quote marks before a line."""
    marks = 0
    match = MARKED.match(line)
    while match is not None and marks < 20:
        marks += 1
        line = line[match.end() :]
        match = MARKED.match(line)
    return marks


def read_line(line: str) -> str:
    """Return a line without quote marks and surrounding spaces, as ``frame_at`` needs it."""
    return line[:LONGEST].strip(_AROUND)


def is_bare(line: str) -> bool:
    """Whether a frame's line contains only what an email client writes: names, dates and addresses, but no subject."""
    lowered = line.lower()
    if _separator().fullmatch(lowered) or not any(map(str.isalnum, line)):
        return True
    match = _header().match(lowered)
    if match is not None:
        return not match["subject"] and len(match["value"]) <= 300 and not holds_more(match["value"])
    return not holds_more(lowered)
