"""The tutorial as something that can be carried out: its code blocks, by the heading they stand under."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.hosts.environment import ROOT

PAGE = ROOT / "docs" / "tutorial.md"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_NAMED = re.compile(r"# (\S+\.py)\n")


@dataclass(frozen=True)
class Step:
    """Files to be written at, as (name, text), and commands to be typed, each in the order of the page."""

    files: tuple[tuple[str, str], ...]
    commands: tuple[str, ...]
    expected: tuple[str, ...]


def steps(port: int, page: Path = PAGE) -> dict[str, Step]:
    """Heading → step; "" is what stands before the first one. The site's port is replaced by ``port``."""
    text = page.read_text(encoding="utf-8").replace("8000", str(port))
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    found = {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}
    return {heading: _step(part) for heading, part in found.items()}


def _step(part: str) -> Step:
    files: list[tuple[str, str]] = []
    commands: list[str] = []
    expected: list[str] = []
    for language, code in _BLOCK.findall(part):
        if language == "python":
            named = _NAMED.match(code)
            assert named, f"a block that names no file: {code}"
            files.append((named[1], code[named.end() :]))
        elif language == "sh":
            commands.extend(line for line in code.splitlines() if line)
        else:
            expected.extend(code.splitlines())
    return Step(tuple(files), tuple(commands), tuple(expected))
