"""Recognises signature blocks (contact lines with a company name) and legal disclaimers at the end of an email.

Each line is classified on its own. Contact details count as nobody's words only in a block that looks like a signature.
A line that contains other text, a private contact or an address at a free email provider counts as the writer's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

import re2

from crm_contact_guard.detection.identifiers.families import FREE
from crm_contact_guard.detection.segments.frames import MARKED, is_device
from crm_contact_guard.detection.segments.types import Line, Mark, Part, Whose
from crm_contact_guard.detection.segments.words import alternatives, sought
from crm_contact_guard.detection.text.sentences import sentences_of

RULE = re.compile(r"[^\w\s]{2,}|[^\w\s](?:\s?[^\w\s]){2,}|__+|[xX]{6,}")
_APART = re.compile(
    r"\s*[|｜／・,、，•·]\s*|\s/\s|\s{2,}|\t|　+|\s(?=(?:fax|ファックス|携帯|mobile|tel|e-?mail|社用携帯)\b)|(?<=\d)/(?=\D)|(?<=[^\x00-\x7f])/"
)
_ZIP = re.compile(
    r"〒?\s?[0-9０-９]{3}[-－ー][0-9０-９]{4}.*|(?:東京都|北海道|(?:京都|大阪)府|.{2,3}県|.{2,4}市).{2,40}|\d{1,5} [a-z .]{3,30} (?:street|st|road|rd|avenue|ave|lane)\b.*"
)
_NAME = re.compile(r"(?:(?:dr|mr|ms|mrs)\.? )?[^\W\d_][\w.'’\-]{0,18}(?:[ 　][^\W\d_][\w.'’\-]{0,18}){0,3}")
_CJK = re.compile(r"[一-龥ぁ-んァ-ヶー]")
_ENDS = "。!?！？.…"
#: Maximum number of lines in a block.
MOST = 25


@lru_cache(maxsize=1)
def _contact() -> re2._Regexp:
    label = alternatives("signature", "label")
    number = r"[+＋]?[\d０-９(（][\d０-９()（）\-－–ー.\s]{5,22}"
    item = rf"(?:{number}|[\w.+\-]{{1,60}}[@＠][\w.\-]{{3,60}}|(?:https?://|www\.)\S{{3,80}})"
    paren = r"(?:\s*[(（][^()（）]{1,20}[)）])?"
    return re2.compile(
        rf"(?:[a-z]{{0,12}}\s)?(?:{label}(?:\s24/7)?{paren}\s?[.:：)）]?\s*(?:[:：]\s*)?)?{item}{paren}(?:\s?(?:ext|内線|x)\.?\s?\d{{1,5}})?\s*"
    )


def mark(lines: Sequence[Line], marks: list[Mark | None]) -> None:
    """Mark signature lines among the unmarked lines."""
    for at, line in enumerate(lines):
        if marks[at] is None and len(line.text) <= 90 and is_device(line.text):
            marks[at] = Mark(Whose.NOBODY, Part.SIGNATURE)
    for first, last in _blocks(lines, marks):
        _block(lines, marks, first, last)


def _blocks(lines: Sequence[Line], marks: Sequence[Mark | None]) -> Iterator[tuple[int, int]]:
    first = 0
    while first < len(lines):
        if marks[first] is not None:
            first += 1
            continue
        last = first + 1
        while last < len(lines) and marks[last] is None and not lines[last].apart and last - first < MOST:
            last += 1
        yield first, last
        first = last


def _block(lines: Sequence[Line], marks: list[Mark | None], first: int, last: int) -> None:
    kinds = [_kind(line.text) for line in lines[first:last]]
    rules = [at for at, kind in enumerate(kinds) if kind == "rule"]
    if rules:
        # The message precedes the delimiter.
        first, kinds = first + rules[0], kinds[rules[0] :]
    contacts, firms = kinds.count("contact"), kinds.count("company") + kinds.count("firm")
    if not ((contacts and firms) or (contacts + kinds.count("firm") >= 2 and rules)):
        return
    begin = next(at for at, kind in enumerate(kinds) if kind in ("rule", "contact", "company", "firm", "title"))
    while begin and kinds[begin - 1] == "name":
        begin -= 1
    if any(
        sought("signature", "private").search(line.text.lower())
        for line in lines[max(0, first + begin - 2) : first + begin]
    ):
        return  # "my own number:" before a block refers to the block
    for at in range(begin, len(kinds)):
        if kinds[at]:
            marks[first + at] = Mark(Whose.NOBODY, Part.SIGNATURE)


def _kind(text: str) -> str:
    """Return the kind of a line, or "" for ordinary text.

    The kinds are ``rule``, ``contact``, ``company``, ``firm`` (contact and company), ``title`` and ``name``.
    """
    if len(text) > 160 or MARKED.match(text):
        return ""
    if RULE.fullmatch(text):
        return "rule"
    lowered = text.lower()
    if sought("signature", "private").search(_aside(lowered)) or _free(lowered):
        return ""
    pieces = [piece for piece in _APART.split(lowered) if piece and piece.strip("-–—~*")]
    kinds = {_piece(piece) for piece in pieces}
    if "" in kinds or not kinds:
        return "company" if len(text) <= 50 and "" in kinds and _is_company(lowered) else ""
    if "contact" in kinds:
        return "firm" if "company" in kinds else "contact"
    for kind in ("company", "title", "contact", "name"):
        if kind in kinds:
            return kind
    return ""


def _aside(lowered: str) -> str:
    """Remove signature words that contain words of private contacts ("online" contains "line")."""
    return lowered.replace("online", "").replace("直通", "").replace("個人情報", "").replace("hotline", "")


def _free(lowered: str) -> bool:
    at = lowered.find("@")
    return at >= 0 and FREE.search(lowered[at:] + ".") is not None


def _is_company(lowered: str) -> bool:
    return lowered[-1] not in _ENDS and sought("signature", "company").search(lowered) is not None


def _piece(piece: str) -> str:
    if _contact().fullmatch(piece):
        return "contact"
    if piece[-1] in _ENDS and not piece.endswith(("inc.", "co.", "k.k.", "s.a.", "b.v.", "s.l.", "ltd.")):
        return ""
    if _ZIP.fullmatch(piece):
        return "title"
    if len(piece) > 45:
        return ""
    if sought("signature", "company").search(piece):
        return "company"
    if sought("signature", "title").search(piece):
        return "title" if len(piece) <= 30 else ""
    short = 10 if _CJK.search(piece) else 32
    return "name" if len(piece) <= short and _NAME.fullmatch(piece) else ""


def disclaimers(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the spans of the sentences in ``text[start:end]`` that belong to a disclaimer and contain no contact."""
    part = text[start:end]
    if not sought("disclaimer", "phrases").search(part.lower()):
        return
    for first, last in sentences_of(part):
        sentence = part[first:last].lower()
        if len(sentence) > 1_000 or not sought("disclaimer", "phrases").search(sentence):
            continue
        if "@" in sentence or "＠" in sentence or "_" in sentence or sum(map(str.isdigit, sentence)) > 5:
            continue
        yield start + first, start + last
