"""Splits an iCalendar file into components and properties (RFC 5545 §3.1, §3.4)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

MAX_BYTES: Final = 1024 * 1024
MAX_COMPONENTS: Final = 5_000
#: Longest unfolded line, in characters. Long descriptions are cut by the companies' own programs far below this.
_LONGEST: Final = 20_000
#: Components that are read. Others, such as alarms and to-dos, are skipped with all that they contain.
_READ: Final = frozenset(("VCALENDAR", "VEVENT", "VTIMEZONE", "STANDARD", "DAYLIGHT"))
_LINE: Final = re.compile(
    r"(?P<name>[A-Za-z0-9-]{1,60})"
    r'(?P<params>(?:;[A-Za-z0-9-]{1,60}=(?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*)*)'
    r":(?P<value>.*)",
    re.DOTALL,
)
_PARAM: Final = re.compile(r';([A-Za-z0-9-]+)=("[^"]*"|[^;]*)')


class BadCalendar(ValueError):
    """The file can't be used. The message names the line."""


@dataclass(frozen=True, slots=True)
class Property:
    name: str
    params: dict[str, str]
    value: str
    line: int


@dataclass(slots=True)
class Component:
    name: str
    line: int
    properties: list[Property] = field(default_factory=list)
    components: list[Component] = field(default_factory=list)

    def all(self, name: str) -> list[Property]:
        return [one for one in self.properties if one.name == name]

    def one(self, name: str) -> Property | None:
        return next((one for one in self.properties if one.name == name), None)

    def text(self, name: str) -> str:
        """Return the value of a property; empty if there is none."""
        found = self.one(name)
        return found.value.strip() if found is not None else ""


def parse(data: bytes) -> Component:
    """Return the VCALENDAR in a file. Raise BadCalendar."""
    if len(data) > MAX_BYTES:
        raise BadCalendar(f"the file has more than {MAX_BYTES} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadCalendar(f"line {data[: error.start].count(10) + 1}: not UTF-8") from None
    tree = _Tree()
    for number, line in _unfolded(text):
        keyword, _, name = line.partition(":")
        tree.add(keyword.strip().upper(), name.strip().upper(), line, number)
        if tree.whole is not None:
            return tree.whole
    raise BadCalendar("the file ends before END:VCALENDAR")


class _Tree:
    """The components as far as they were read."""

    def __init__(self) -> None:
        self.whole: Component | None = None
        self._open: list[Component] = []
        self._skipped = ""
        self._count = 0

    def add(self, keyword: str, name: str, line: str, number: int) -> None:
        if self._skipped:
            self._skipped = "" if (keyword, name) == ("END", self._skipped) else self._skipped
        elif keyword == "BEGIN":
            self._begin(name, number)
        elif not self._open:
            raise BadCalendar(f"line {number}: the file doesn't begin with BEGIN:VCALENDAR")
        elif keyword == "END":
            closed = self._open.pop()
            if closed.name != name:
                raise BadCalendar(f"line {number}: END:{name[:40]} closes {closed.name} of line {closed.line}")
            self.whole = closed if not self._open else None
        else:
            self._open[-1].properties.append(_property(line, number))

    def _begin(self, name: str, number: int) -> None:
        self._count += 1
        if self._count > MAX_COMPONENTS:
            raise BadCalendar(f"line {number}: more than {MAX_COMPONENTS} components")
        if bool(self._open) is (name == "VCALENDAR"):
            raise BadCalendar(f"line {number}: a file must be one VCALENDAR")
        if name not in _READ:
            self._skipped = name
            return
        component = Component(name, number)
        if self._open:
            self._open[-1].components.append(component)
        self._open.append(component)


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Yield the number and text of each line that isn't empty, with its continuations."""
    parts: list[str] = []
    first = length = 0
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text), 1):
        if line[:1] in (" ", "\t") and parts:
            parts.append(line[1:])
            length += len(line)
        else:
            if parts:
                yield first, "".join(parts)
            parts, first, length = ([line] if line.strip() else []), number, len(line)
        if length > _LONGEST:
            raise BadCalendar(f"line {first}: more than {_LONGEST} characters")
    if parts:
        yield first, "".join(parts)


def _property(line: str, number: int) -> Property:
    match = _LINE.fullmatch(line)
    if match is None:
        raise BadCalendar(f"line {number}: {line[:40]!r} is not a property")
    params = {name.upper(): value.strip('"') for name, value in _PARAM.findall(match["params"])}
    return Property(match["name"].upper(), params, match["value"], number)
