"""Words in running text: commands, targets and files that exist; labels that stand on the pages of the program."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import polib
import pytest
from django.core.management import get_commands, load_command_class

from tests.docs.pages import PAGES, ROOT, name, prose
from tests.docs.project import EXTRAS

PACKAGE = ROOT / "crm_contact_guard"
COMMAND = re.compile(r"\b(contact_guard_\w+)((?:[ \t]+[^\s`#|]+)*)")
#: Begin like commands and are none: template tags, and parts of a base template.
OTHER = {f"contact_guard_{end}" for end in ("assets", "panel", "title", "head", "content")}
TARGET = re.compile(r"`make ([a-z][a-z -]*)(?: [A-Z_]+=[^`]*)?`")
#: Folders of the repository that a path in running text may begin with.
TOP = (
    "benchmarks",
    "crm_contact_guard",
    "demo_project",
    "docker",
    "docs",
    "requirements",
    "tests",
    "tools",
    "training",
)
FILE = re.compile(rf"`((?:{'|'.join(TOP)})/[\w./-]*(?:\.\w+|/))`")
GUIDES = ("guide_employee.md", "guide_supervisor.md")


def catalogue() -> polib.POFile:
    return polib.pofile(str(PACKAGE / "locale/ja/LC_MESSAGES/django.po"))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_exist_with_the_options_named(page: Path) -> None:
    wrong = []
    for command, words in COMMAND.findall(prose(page)):
        if command in OTHER or command.endswith("_"):
            continue
        if get_commands().get(command) != "crm_contact_guard":
            wrong.append(command)
            continue
        named = [word.split("=")[0].rstrip(".,;:)") for word in words.split() if word.startswith("--")]
        wrong += [f"{command} {option}" for option in named if option not in options_of(command)]

    assert not wrong


def options_of(command: str) -> set[str]:
    """All options of a command, those of its subcommands with them."""
    waiting: list[argparse.ArgumentParser] = [
        load_command_class("crm_contact_guard", command).create_parser("", command)
    ]
    options: set[str] = set()
    while waiting:
        for action in waiting.pop()._actions:
            options |= set(action.option_strings)
            if isinstance(action, argparse._SubParsersAction):
                waiting += action.choices.values()
    return options


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_targets_files_and_extras_exist(page: Path) -> None:
    text = prose(page)
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    roots = (ROOT, PACKAGE / "templates")
    wrong = [target for found in TARGET.findall(text) for target in found.split() if target not in targets]
    wrong += [path for path in FILE.findall(text) if not any((root / path).exists() for root in roots)]
    wrong += [extra for extra in re.findall(r"crm-contact-guard\[([\w-]+)\]", text) if extra not in EXTRAS]
    wrong += [extra for extra in re.findall(r"\(extra `([\w-]+)`", text) if extra not in EXTRAS]

    assert not wrong


def test_the_places_of_the_architecture_exist() -> None:
    """The rooms, and where to change what: each place is there, by the name that stands on the page."""
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    cells = [cell for row in re.findall(r"^\|.*\|$", text, re.MULTILINE) for cell in row.split("|")[1:3]]
    places = {place for cell in cells for place in re.findall(r"`([a-z_]+(?:/[\w./<>-]*|\.py))`", cell)}
    gone = []
    for place in places:
        pattern = re.sub(r"<\w+>", "*", place).rstrip("/")
        if not ([*PACKAGE.glob(pattern)] or [*ROOT.glob(pattern)]):
            gone.append(place)

    assert len(places) > 30
    assert not gone


@pytest.mark.parametrize("page", GUIDES)
def test_labels_of_the_english_guides_are_those_of_the_pages(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    known = {entry.msgid for entry in catalogue()}
    labels = [label for label in re.findall(r"\*\*([^*]+)\*\*", text) if not label.endswith((".", ":"))]

    assert labels
    assert not [label for label in labels if label not in known]


@pytest.mark.parametrize("page", GUIDES)
def test_labels_of_the_japanese_guides_are_those_of_the_pages(page: str) -> None:
    text = (ROOT / "docs" / "ja" / page).read_text(encoding="utf-8")
    known = {entry.msgstr for entry in catalogue()}
    labels = [label for label in re.findall(r"\*\*([^*]+)\*\*", text) if not label.endswith("。")]

    assert labels
    assert not [label for label in labels if label not in known]


def test_titles_of_alerts_in_the_guides_are_those_of_the_program() -> None:
    """ "…" stands for a name."""
    entries = list(catalogue())
    english = (ROOT / "docs/guide_supervisor.md").read_text(encoding="utf-8")
    japanese = (ROOT / "docs/ja/guide_supervisor.md").read_text(encoding="utf-8")
    titles = [
        cell for row in re.findall(r"^\| (\*.*?) \|", english, re.MULTILINE) for cell in re.findall(r"\*([^*]+)\*", row)
    ]
    told = re.findall(r"^\| 「(.*?)」", japanese, re.MULTILINE)

    assert len(titles) >= 7
    assert len(told) >= 7
    assert not [title for title in titles if not fits(title, [entry.msgid for entry in entries])]
    assert not [title for title in told if not fits(title, [entry.msgstr for entry in entries])]


def fits(title: str, texts: list[str]) -> bool:
    pattern = re.escape(re.sub(r"\(\w+\)", "…", title)).replace("…", ".*")
    return any(re.fullmatch(pattern, re.sub(r"%\(\w+\)s", "X", text)) for text in texts)
