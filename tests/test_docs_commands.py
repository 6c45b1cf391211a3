"""What the documentation shows: Python that compiles, commands and options that exist, settings that are known."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from crm_contact_guard.conf import DEFAULTS
from crm_contact_guard.policy import presets, retention

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
IDS = [str(path.relative_to(ROOT)) for path in PAGES]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"\b(contact_guard_\w+)((?:[ \t]+[^\s`#|]+)*)")
#: Begin like commands and are none: template tags and the names of indexes.
OTHER = {"contact_guard_panel", "contact_guard_title", "contact_guard_head", "contact_guard_content"}
#: A sketch leaves things out by an ellipsis; what stands beside it must still compile.
SKETCH = re.compile(r"\[\.\.\.,|\{…\}|…")

#: Entries of a dict that stands elsewhere on the page.
ENTRIES = re.compile(r'(?:#.*\n|\s)*"\w[\w-]*": ')

LEVELS = {
    "presets.md": {"deliver": "deliver", "nudge": "nudge", "block": "block"},
    "ja/presets.md": {"deliver": "送信", "nudge": "確認", "block": "送信不可"},
}


def blocks(page: Path, *languages: str) -> list[str]:
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [text for language, text in found if language in languages]


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_python_on_the_pages_compiles(page: Path) -> None:
    for text in blocks(page, "python"):
        whole = SKETCH.sub(lambda hit: "[" if hit[0].startswith("[") else "", text)
        if ENTRIES.match(whole):
            whole = f"{{{whole}}}"
        compile(whole, str(page), "exec")


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_commands_on_the_pages_exist_with_the_options_named(page: Path) -> None:
    wrong = []
    # In YAML stand names of metrics; tests/test_monitoring.py holds those.
    text = BLOCK.sub(lambda block: "" if block[1] == "yaml" else block[0], page.read_text(encoding="utf-8"))
    for name, words in COMMAND.findall(text):
        if name in OTHER or name.endswith("_"):
            continue
        if get_commands().get(name) != "crm_contact_guard":
            wrong.append(name)
            continue
        known = options_of(name)
        named = [word.split("=")[0].rstrip(".,;:)") for word in words.split() if word.startswith("--")]
        wrong += [f"{name} {option}" for option in named if option not in known]

    assert not wrong


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_shell_on_the_pages_parses_and_names_targets_that_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for text in blocks(page, "sh", "console", "bash"):
        for line in text.splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                words = words[1:]
            if words and words[0] == "make":
                assert {word for word in words[1:] if "=" not in word} <= targets, line


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_settings_on_the_pages_are_known(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"""CONTACT_GUARD\[["'](\w+)["']\]""", text))
    for block in blocks(page, "python"):
        for given in re.findall(r"^CONTACT_GUARD = \{\n(.*?)^\}", block, re.MULTILINE | re.DOTALL):
            named |= set(re.findall(r'^    "(\w+)":', given, re.MULTILINE))

    assert named <= set(DEFAULTS)


def options_of(name: str) -> set[str]:
    """All options of a command, those of its subcommands with them."""
    waiting: list[argparse.ArgumentParser] = [load_command_class("crm_contact_guard", name).create_parser("", name)]
    options: set[str] = set()
    while waiting:
        for action in waiting.pop()._actions:
            options |= set(action.option_strings)
            if isinstance(action, argparse._SubParsersAction):
                waiting += action.choices.values()
    return options


@pytest.mark.parametrize("page", ["presets.md", "ja/presets.md"])
def test_presets_are_told_as_they_are(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")

    for name, preset in retention.PRESETS.items():
        assert re.search(rf"^\| `{name}` \| {preset.years} \|", text, re.MULTILINE), name
    for name, rules in presets.PRESETS.items():
        words = LEVELS[page]
        row = re.search(rf"^\| `{name}`.*$", text, re.MULTILINE)
        assert row is not None, name
        cells = [cell.strip(" *") for cell in row[0].split("|")[2:4]]
        assert cells == [words[rules["attempt"]], words[rules["after_hours"]]], name


def test_pages_quoted_in_the_japanese_guides_say_so() -> None:
    catalogue = (ROOT / "crm_contact_guard/locale/ja/LC_MESSAGES/django.po").read_text(encoding="utf-8")
    for page in ("guide_employee.md", "guide_supervisor.md"):
        text = (ROOT / "docs" / "ja" / page).read_text(encoding="utf-8")
        labels = [label for label in re.findall(r"\*\*([^*]+)\*\*", text) if not label.endswith("。")]
        assert labels
        assert not [label for label in labels if f'"{label}"' not in catalogue], page
