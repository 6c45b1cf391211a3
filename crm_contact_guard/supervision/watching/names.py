"""Whether two people may be relatives, by their names. Pure functions on text."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_TITLES: Final = re.compile(r"(?:\b(?:mr|mrs|ms|miss|dr|prof)\b\.?)|(?:様|さま|さん|氏|先生)$")
#: Characters of Japanese and Chinese names.
_HAN_OR_KANA: Final = re.compile(r"[\u3005\u3040-\u30ff\u4e00-\u9fff]")


def same_family(one: str, other: str) -> bool:
    """Whether both names have the same family name.

    A Japanese name begins with it. If neither name has a space, the first two characters are compared, as most family
    names have two; a family name of one character is then not recognised. Of other names, the last word and the part
    before a comma are family names. Names in different scripts never match.
    """
    first, second = _words(one), _words(other)
    if not first or not second:
        return False
    if _is_japanese(one) and _is_japanese(other):
        if len(first) == 1 and len(second) == 1:
            return len(first[0]) > 2 and len(second[0]) > 2 and first[0][:2] == second[0][:2]
        return _begins(first, second) or _begins(second, first)
    return len(first) > 1 and len(second) > 1 and _family(one) == _family(other)


def same_name(one: str, other: str) -> bool:
    """Whether both names are the same, in whatever order their words are written."""
    first, second = _words(one), _words(other)
    return len("".join(first)) > 2 and (sorted(first) == sorted(second) or "".join(first) == "".join(second))


def _begins(named: list[str], other: list[str]) -> bool:
    """Whether ``other`` begins with the family name of ``named``, which is written apart."""
    if len(named) < 2:
        return False
    family = named[0]
    return other[0] == family or (len(other) == 1 and len(family) > 1 and other[0].startswith(family))


def _family(name: str) -> str:
    before, comma, _after = _plain(name).partition(",")
    words = _words(before if comma else name)
    return words[0] if comma and len(words) == 1 else words[-1] if words else ""


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[\s,・·]+", _plain(name)) if word]


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name).casefold().strip()
    return _TITLES.sub("", folded).strip()


def _is_japanese(name: str) -> bool:
    return _HAN_OR_KANA.search(name) is not None
