"""Numbers as people write them (digits, kanji, spelled out in eight languages), and their conversion to digits."""

from __future__ import annotations

import re
from collections.abc import Iterator

import ahocorasick_rs
import re2

#: Spelled digit → digits. ``x`` doubles the next digit, ``y`` triples it.
WORDS: dict[str, str] = {}


def _words(table: str) -> None:
    for entry in table.split():
        digit, _, names = entry.partition("=")
        for name in names.split("|"):
            WORDS[name] = digit


_words(
    "0=zero|oh|o|nought|naught|nil|zip 1=one|won|wun|wan 2=two|too|to|tu 3=three|tree|free|thr33 4=four|fore|for|fower 5=five|fife|fiver"
)
_words(
    "6=six|sicks|sik 7=seven|sev'n 8=eight|ate|ait 9=nine|niner|nein x=double|dbl y=triple|treble 00=hundred 000=thousand"
)
_words(
    "0=ゼロ|ぜろ|れい|レイ|まる|マル|零|〇|オー 1=いち|イチ|ひと|ワン|一|壱|わん 2=に|ニ|ふた|ツー|二|弐|つー 3=さん|サン|みっつ|スリー|三|参 4=よん|ヨン|よ|フォー|四|し|シ"
)
_words(
    "5=ご|ゴ|ファイブ|五|伍 6=ろく|ロク|シックス|六 7=なな|ナナ|しち|シチ|セブン|七 8=はち|ハチ|エイト|八|やっ|ぱち|パチ 9=きゅう|キュウ|きゅー|キュー|く|ク|ナイン|九"
)
_words(
    "0=rei|maru|零 1=ichi|幺|壹|么 2=ni|两|兩|貳 3=san|叁 4=yon|shi|肆 5=go|gou 6=roku|陸|陆 7=nana|shichi|柒|拐 8=hachi|捌 9=kyuu|kyu|ku|玖|勾 0=洞"
)
_words("0=공|영|빵 1=일|하나 2=이|둘 3=삼|셋 4=사|넷 5=오 6=육|륙|여섯 7=칠|일곱 8=팔|여덟 9=구|아홉")
_words("0=ศูนย์ 1=หนึ่ง 2=สอง|โท 3=สาม 4=สี่ 5=ห้า 6=หก 7=เจ็ด 8=แปด 9=เก้า")
_words("0=không|khong 1=một|mot 2=hai 3=ba 4=bốn|bon|tư 5=năm|nam|lăm 6=sáu|sau 7=bảy|bay 8=tám|tam 9=chín|chin")
_words(
    "0=cero 1=uno|isa 2=dos|dalawa 3=tres|tatlo 4=cuatro|apat 5=cinco|lima 6=seis|anim 7=siete|pito 8=ocho|walo 9=nueve|siyam"
)
for _digit in "0123456789":
    WORDS[_digit] = _digit

_LATIN = sorted((w for w in WORDS if w.isascii() and w.isalpha() and len(w) > 1), key=len, reverse=True)
_OTHER = sorted((w for w in WORDS if not w.isascii()), key=len, reverse=True)
_FIGURES = frozenset("0123456789")
_SEPARATORS = frozenset(" -.()+_/,·~|*:")
_JOINTS = frozenset(" \t\n-,.、。の・/_~ー—…|·*()+とへ→:'\"「」")

_DIGIT = "[0-9〇零一二三四五六七八九]"
#: Kanji numerals on their own are found as plain runs.
_OTHERS = "(?:" + "|".join(name for name in _OTHER if name not in "〇零一二三四五六七八九") + ")"
_LATINS = r"\b(?:" + "|".join(_LATIN) + r"|o)\b"
_GAP = r"[\s\-,.、。の・/ー~_]{0,3}"
#: Cheap prefilters for numbers, which are part of the Set of gates.
PLAIN_GATE = _DIGIT + r"[^0-9\n]{0,3}" + _DIGIT + r"[^0-9\n]{0,3}" + _DIGIT + r"[^0-9\n]{0,3}" + _DIGIT
SPELLED_GATES = (
    "(?:" + _OTHERS + _GAP + "){4}",
    _DIGIT + _OTHERS + _DIGIT + "|" + _OTHERS + _DIGIT + _OTHERS,
    _LATINS
    + r"[^a-z0-9\n]{1,3}(?:"
    + "|".join(_LATIN)
    + r"|o|[0-9])\b[^a-z0-9\n]{1,3}(?:"
    + "|".join(_LATIN)
    + r"|o|[0-9])\b",
    r"[0-9](?:"
    + "|".join(_LATIN)
    + r")\b|(?:zero|three|five|seven|nine)[0-9]|(?:zero|one|two|three|four|five|six|seven|eight|nine){3}",
)
NOISE_GATE = r"(?:[0-9][^0-9\n]{1,2}){5}[0-9]"
LEET_GATE = r"\b[0-9]*[oilszb][0-9]+[oilszb]|\b[0-9]{1,4}[oilszb][0-9]{2}|\b[oil][0-9]{2}"
# The standard library's engine is faster on short text, and linear if one character decides each step. It skips ahead
# to candidates only if a pattern begins with a character class. A pattern that begins with an optional part is tried at
# every position.
_FIGURE = "0-9〇零一二三四五六七八九"
PLAIN = re.compile(
    rf"[+({_FIGURE}](?:(?<=[{_FIGURE}])|(?<=\+) ?\(?{_DIGIT}|(?<=\(){_DIGIT})(?:[\s\-.()_/·・,、の~ー|*:→]{{0,3}}{_DIGIT})+"
)
NOISE = re.compile(r"[0-9](?:[^0-9\n]{1,2}[0-9])+")
LEET = re2.compile(r"\b[0o][0-9oilszb](?:[0-9oilszb]|[\-. ][0-9oilszb])+\b")
_NAMES = [*WORDS]
_TOKENS = ahocorasick_rs.AhoCorasick(_NAMES, matchkind=ahocorasick_rs.MatchKind.LeftmostLongest)
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz")
_WORDS_LATIN = frozenset(name for name in _NAMES if name[0] in _LETTERS)
#: A longer run is not a phone number, and nobody could read a number hidden in it.
_LONGEST_RUN = 40
_LEET = str.maketrans("oilszb", "011528")


def _tokens(text: str) -> list[tuple[str, int, int]]:
    """Return the numerals in a text, as (name, start, end).

    Latin names count only as whole words or joined together ("fivesix", not "tonight").
    """
    matches = _TOKENS.find_matches_as_indexes(text)
    right_bounded: list[tuple[str, int, int]] = []
    open_at = -1
    for number, start, end in reversed(matches):
        name = _NAMES[number]
        if name in _WORDS_LATIN and end < len(text) and text[end] in _LETTERS and open_at != end:
            continue
        open_at = start
        right_bounded.append((name, start, end))
    right_bounded.reverse()
    bounded: list[tuple[str, int, int]] = []
    closed_at = -1
    for name, start, end in right_bounded:
        if name in _WORDS_LATIN and start and text[start - 1] in _LETTERS and closed_at != start:
            continue
        closed_at = end
        bounded.append((name, start, end))
    return bounded


def runs(text: str) -> Iterator[tuple[int, int]]:
    """Yield spans of seven to forty numerals, spelled out or as digits, with only joining characters between them."""
    start = end = -1
    count = 0
    for _, first, last in _tokens(text):
        if start >= 0 and first - end <= 4 and (first == end or _JOINTS.issuperset(text[end:first])):
            end = last
            count += 1
        else:
            if 7 <= count <= _LONGEST_RUN:
                yield start, end
            start, end, count = first, last, 1
    if 7 <= count <= _LONGEST_RUN:
        yield start, end


def decode(text: str) -> str:
    """Return the digits of a run of numerals, spelled out or as digits. Skip everything else."""
    plain = "".join(character for character in text if character in _FIGURES)
    if len(plain) + sum(character in _SEPARATORS for character in text) == len(text):
        return plain
    digits: list[str] = []
    repeat = 1
    for name, _, _ in _tokens(text):
        value = WORDS[name]
        if value == "x":
            repeat = 2
        elif value == "y":
            repeat = 3
        else:
            digits.append(value * repeat)
            repeat = 1
    return "".join(digits)


def decode_leet(text: str) -> str:
    """Return the digits of a number in which letters replace digits (``o9o``)."""
    return "".join(character for character in text.translate(_LEET) if character.isdigit())
