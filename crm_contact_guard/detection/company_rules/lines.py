"""Finds the line of a value in a TOML or JSON file, for error messages.

The parsers in the standard library report lines only for syntax errors. This module tokenises a file that one of them
has accepted, and maps paths such as ``("rules", 0, "pattern")`` or ``("phones", 2)`` to lines, counted from one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import re2

Path = tuple[str | int, ...]
_TOKEN = re2.compile(
    r'(?s)"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|\n|[\[\]{},=:.]|[^\s\[\]{},=:.#"\']+'
)


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    line: int


def find_lines(text: str, *, json: bool) -> dict[Path, int]:
    """Return the line of each table, key and array element of a well-formed file."""
    tokens = list(_tokens(text))
    lines: dict[Path, int] = {(): 1}
    if json:
        _json(tokens, 0, (), lines)
    else:
        _toml(tokens, lines)
    return lines


def line_of(lines: dict[Path, int], path: Path) -> int:
    """Return the line of a path, or of its nearest parent."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def _tokens(text: str) -> Iterator[_Token]:
    line = 1
    for match in _TOKEN.finditer(text):
        token = match.group()
        if not token.startswith("#"):
            yield _Token(token, line)
        line += token.count("\n")


def _name(token: str) -> str:
    return token[1:-1] if token[:1] in "\"'" else token


def _toml(tokens: Sequence[_Token], lines: dict[Path, int]) -> None:
    place, prefix = 0, ()  # type: tuple[int, Path]
    counts: dict[Path, int] = {}
    while place < len(tokens):
        token = tokens[place]
        if token.text == "\n":
            place += 1
        elif token.text == "[":
            repeated = place + 1 < len(tokens) and tokens[place + 1].text == "["
            place += 2 if repeated else 1
            names: list[str | int] = []
            while place < len(tokens) and tokens[place].text not in ("]", "\n"):
                if tokens[place].text != ".":
                    names.append(_name(tokens[place].text))
                place += 1
            prefix = tuple(names)
            if repeated:
                counts[prefix] = counts.get(prefix, -1) + 1
                prefix = (*prefix, counts[prefix])
            lines.setdefault(prefix, token.line)
            while place < len(tokens) and tokens[place].text == "]":
                place += 1
        else:
            key = prefix
            while place < len(tokens) and tokens[place].text not in ("=", "\n"):
                if tokens[place].text != ".":
                    key = (*key, _name(tokens[place].text))
                place += 1
            lines.setdefault(key, token.line)
            place = _toml_value(tokens, place + 1, key, lines)


def _toml_value(tokens: Sequence[_Token], place: int, key: Path, lines: dict[Path, int]) -> int:
    """Skip a value and record the lines of array elements. Return the index of the token after it."""
    if place >= len(tokens) or tokens[place].text not in "[{":
        while place < len(tokens) and tokens[place].text != "\n":
            place += 1
        return place
    depth, element, fresh = 0, 0, True
    while place < len(tokens):
        text = tokens[place].text
        if text in ("[", "{"):
            depth += 1
        elif text in ("]", "}"):
            depth -= 1
        elif text == "," and depth == 1:
            element, fresh = element + 1, True
        elif text not in ("\n", ",") and depth == 1 and fresh:
            lines.setdefault((*key, element), tokens[place].line)
            fresh = False
        place += 1
        if depth == 0:
            break
    return place


def _json(tokens: Sequence[_Token], place: int, path: Path, lines: dict[Path, int]) -> int:
    while tokens[place].text == "\n":
        place += 1
    lines.setdefault(path, tokens[place].line)
    opening = tokens[place].text
    if opening not in ("{", "["):
        return _skip_scalar(tokens, place)
    place, element = place + 1, 0
    while True:
        while tokens[place].text in ("\n", ","):
            place += 1
        if tokens[place].text in ("}", "]"):
            return place + 1
        if opening == "{":
            name = _name(tokens[place].text)
            while tokens[place].text != ":":
                place += 1
            place = _json(tokens, place + 1, (*path, name), lines)
        else:
            place = _json(tokens, place, (*path, element), lines)
            element += 1


def _skip_scalar(tokens: Sequence[_Token], place: int) -> int:
    place += 1
    while place < len(tokens) and tokens[place].text not in (",", "}", "]", "\n"):
        place += 1  # a number such as 0.5 is three tokens
    return place
