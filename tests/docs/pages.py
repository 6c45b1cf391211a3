"""The written pages as data: their code blocks, links and headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "training").glob("*.md")])
_FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,}|:{3,})(?P<language>\S*)[^\n]*\n", re.MULTILINE)
_LINK = re.compile(r"!?\[(?:[^]\\]|\\.)*\]\(([^()\s]+)\)|<(https?://[^>\s]+)>")


@dataclass(frozen=True)
class Block:
    """A fenced block: where it stands, its language as written, its text without the fence's indentation."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> Iterator[Block]:
    """All fenced blocks of a page, in their order."""
    text, at = page.read_text(encoding="utf-8"), 0
    while opened := _FENCE.search(text, at):
        closing = re.compile(rf"^[ \t]*{re.escape(opened['fence'])}[ \t]*$", re.MULTILINE)
        closed = closing.search(text, opened.end())
        assert closed is not None, f"{name(page)}: a fence without an end"
        line = text.count("\n", 0, opened.start()) + 1
        yield Block(name(page), line, opened["language"], dedent(text[opened.end() : closed.start()]))
        at = closed.end()


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    text = page.read_text(encoding="utf-8")
    for block in re.finditer(r"^([ \t]*)(```|~~~)[^\n]*\n.*?^\1\2[ \t]*$", text, re.MULTILINE | re.DOTALL):
        text = text.replace(block[0], "")
    return text


def links(page: Path) -> Iterator[str]:
    """Targets of links and pictures, code left out."""
    for given, bare in _LINK.findall(re.sub(r"`[^`\n]*`", "", prose(page))):
        yield given or bare


def anchors(page: Path) -> set[str]:
    """What a link may name after ``#``: the headings, spelled as GitHub and MyST do."""
    found = re.findall(r"^#{1,6} (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in found}


ALL = [block for page in PAGES for block in blocks(page)]


def of(*languages: str) -> list[Block]:
    return [block for block in ALL if block.language in languages]
