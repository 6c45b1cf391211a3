"""The fragment syntax of the packs, and its expansion into plain words.

A fragment is text with groups ``(?:a|b)``, optional parts ``?``, character classes ``[ab]`` and escapes. A final
``\\w+`` or ``\\w*`` means that the word may continue. There is no unbounded repetition, so each fragment stands for a
finite list of words, which one automaton finds in linear time.
"""

from __future__ import annotations

#: A fragment that expands to more words than this is a mistake.
MOST = 2000


class FragmentError(ValueError):
    """Invalid syntax in a fragment; the message names the fragment and the position."""


def expand(fragment: str) -> tuple[list[str], bool]:
    """Return the words of a fragment, and whether more letters may follow on the right. Raises ``FragmentError``."""
    opened = fragment.endswith(("\\w+", "\\w*"))
    source = fragment[:-3] if opened else fragment
    words, position = _alternatives(source, 0)
    if position != len(source):
        raise FragmentError(f"{fragment!r}: unexpected {source[position]!r} at {position}")
    if "" in words:
        raise FragmentError(f"{fragment!r}: matches the empty text")
    return sorted(set(words)), opened


def _alternatives(source: str, position: int) -> tuple[list[str], int]:
    words: list[str] = []
    current = [""]
    while position < len(source) and source[position] != ")":
        if source[position] == "|":
            words.extend(current)
            current = [""]
            position += 1
            continue
        part, position = _part(source, position)
        if position < len(source) and source[position] == "?":
            part = ["", *part]
            position += 1
        elif position < len(source) and source[position] in "*+{":
            raise FragmentError(f"{source!r}: unbounded repetition at {position}")
        current = [left + right for left in current for right in part]
        if len(current) > MOST:
            raise FragmentError(f"{source!r}: expands to more than {MOST} words")
    words.extend(current)
    return words, position


def _part(source: str, position: int) -> tuple[list[str], int]:
    character = source[position]
    if character == "(":
        if not source.startswith("(?:", position):
            raise FragmentError(f"{source!r}: only groups of the form (?:…) at {position}")
        words, end = _alternatives(source, position + 3)
        if end >= len(source):
            raise FragmentError(f"{source!r}: group at {position} is not closed")
        return words, end + 1
    if character == "[":
        end = source.find("]", position)
        if end < 0 or source[position + 1] == "^":
            raise FragmentError(f"{source!r}: class at {position} must list characters")
        return _class(source[position + 1 : end]), end + 1
    if character == "\\":
        return [source[position + 1]], position + 2
    if character in ".^$":
        raise FragmentError(f"{source!r}: {character!r} at {position} is not supported")
    return [character], position + 1


def _class(inside: str) -> list[str]:
    words: list[str] = []
    position = 0
    while position < len(inside):
        if position + 2 < len(inside) and inside[position + 1] == "-":
            words.extend(chr(code) for code in range(ord(inside[position]), ord(inside[position + 2]) + 1))
            position += 3
        else:
            words.append(inside[position])
            position += 1
    return words
