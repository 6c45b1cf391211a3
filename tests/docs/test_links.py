"""Where the pages point: files, headings and pictures that exist, also from messages of the program."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.docs.pages import PAGES, ROOT, anchors, links, name

#: "See docs/settings.md, The company." in a message, a hint or a docstring.
SEEN = re.compile(r"docs/([\w/]+\.md)(?:, ([A-Z][^.,\"'`]*))?")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_and_pictures_lead_somewhere(page: Path) -> None:
    dead = []
    for target in links(page):
        parts = urlsplit(target)
        if parts.scheme:
            if parts.scheme not in ("http", "https") or not parts.netloc:
                dead.append(target)
            continue
        there = (page.parent / parts.path).resolve() if parts.path else page
        if not there.exists() or (parts.fragment and parts.fragment not in anchors(there)):
            dead.append(target)

    assert not dead


def test_what_the_program_says_of_the_pages_is_there() -> None:
    wrong = []
    for path in sorted((ROOT / "crm_contact_guard").rglob("*.py")):
        for file, heading in SEEN.findall(path.read_text(encoding="utf-8")):
            page = ROOT / "docs" / file
            headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE) if page.exists() else []
            if not any(each.startswith(heading.strip()) for each in headings):
                wrong.append(f"{path.relative_to(ROOT)}: docs/{file}, {heading}")

    assert not wrong
