"""What the pages must name, all of it: settings, checks, channels with their options, contracts, tables."""

from __future__ import annotations

import inspect
import re
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any

import pytest
from django.apps import apps

from crm_contact_guard.channels.base import Channel
from crm_contact_guard.conf import DEFAULTS
from crm_contact_guard.detection.types import Direction
from crm_contact_guard.policy import presets, retention
from tests.docs.pages import ROOT

PACKAGE = ROOT / "crm_contact_guard"


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


SETTINGS, CHANNELS = page("settings.md"), page("channels.md")
#: Section of the channels' page → the modules whose options it names.
OPTIONS = {
    "E-mail": ["email/channel.py", "email/imap.py"],
    "E-mail through a mail service": ["email/esp.py"],
    "LINE Official Account": ["line"],
    "LINE WORKS": ["line_works"],
    "Twilio: SMS, WhatsApp, telephone": ["twilio"],
    "WhatsApp Cloud API": ["whatsapp"],
}
LEVELS = {
    "presets.md": {word: word for word in ("deliver", "nudge", "schedule", "hold", "block", "balanced", "strict")},
    "ja/presets.md": {
        "deliver": "送信",
        "nudge": "確認",
        "schedule": "予約",
        "hold": "承認待ち",
        "block": "送信不可",
        "balanced": "標準",
        "strict": "厳格",
    },
}
SHOWN_RULES = ("attempt", "sensitive_data", "harassment", "after_hours", "quiet_hours")


@pytest.mark.parametrize("name", sorted(DEFAULTS))
def test_every_setting_is_documented_with_its_default(name: str) -> None:
    [told] = re.findall(rf"^\| `{name}` \| (.*?) \|", SETTINGS, re.MULTILINE)

    if told.startswith("`"):
        shown = told.strip("`").strip('"')
        assert shown in (str(DEFAULTS[name]), str(DEFAULTS[name]).replace("'", '"'))
    elif told.isdigit():
        assert int(told) == DEFAULTS[name]


def test_no_setting_is_documented_that_is_none() -> None:
    for text in (SETTINGS, *map(page, ("operations.md", "channels.md", "installation.md", "record.md", "privacy.md"))):
        named = set(re.findall(r"""CONTACT_GUARD\[["'](\w+)["']\]""", text))
        assert named <= set(DEFAULTS)


def test_every_check_is_documented_and_exists() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    raised = set(re.findall(r'id="(crm_contact_guard\.[EW]\d{3})"', source))
    documented = set(re.findall(r"^\| `(crm_contact_guard\.[EW]\d{3})`", page("reference_checks.md"), re.MULTILINE))

    assert documented == raised


def test_the_reference_is_in_step_with_the_code() -> None:
    spec = spec_from_file_location("reference", ROOT / "tools" / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    tool = module_from_spec(spec)
    spec.loader.exec_module(tool)

    assert tool.stale() == []


def test_every_check_of_the_reference_says_something() -> None:
    rows = re.findall(r"^\| `crm_contact_guard\.\w+` \| (.*?) \|", page("reference_checks.md"), re.MULTILINE)

    assert rows
    assert not [row for row in rows if not re.search(r"\w{3}", row)]


def test_every_channel_is_documented() -> None:
    sources = "".join(path.read_text() for path in (PACKAGE / "channels").rglob("*.py"))

    assert not [name for name in re.findall(r"class (\w+)\(Channel\)", sources) if name not in CHANNELS]


@pytest.mark.parametrize("section", OPTIONS)
def test_every_option_of_a_channel_is_documented(section: str) -> None:
    text = CHANNELS[CHANNELS.index(f"\n## {section}\n") :]
    text = text[: text.index("\n## ", 2)]
    files = [found for name in OPTIONS[section] for found in _modules(name)]
    read = {
        option
        for file in files
        for option in re.findall(r"""(?:options\.get\(|options\[|secrets\(|_option\()"([A-Z_]+)\"""", file)
    }

    assert files
    assert not {option for option in read if not re.search(rf"\b{option}\b", text)}


def test_every_folder_of_a_channel_has_its_section() -> None:
    # The web chat takes no options; e-mail has two sections.
    folders = {path.parent.name for path in (PACKAGE / "channels").glob("*/__init__.py")} - {"webchat"}

    assert folders == {name.partition("/")[0] for names in OPTIONS.values() for name in names}


def _modules(name: str) -> list[str]:
    place = PACKAGE / "channels" / name
    return [path.read_text(encoding="utf-8") for path in (place.rglob("*.py") if place.is_dir() else [place])]


def test_the_contract_of_a_channel_is_told_whole() -> None:
    text = CHANNELS[CHANNELS.index("\n## Write a channel\n") :]
    declared = {name for name in Channel.__annotations__ if not name.startswith("_")}
    done = {name for name, found in vars(Channel).items() if inspect.isfunction(found) and not name.startswith("_")}

    assert not {name for name in declared | done if not re.search(rf"`(?:self\.)?{name}[`(]", text)}


def test_every_table_has_its_row_in_the_data_map() -> None:
    text = page("privacy.md")
    text = text[text.index("## Data map") : text.index("Outside the database")]
    technical = {"Pending", "TreeHead", "Tile", "Seal", "Witnessing", "ErasurePermit"}
    models = {model.__name__ for model in apps.get_app_config("crm_contact_guard").get_models()}

    assert not {name for name in models - technical if f"`{name}`" not in text}
    assert "tree, checkpoints, witnesses" in text


@pytest.mark.parametrize("name", ["presets.md", "ja/presets.md"])
def test_presets_are_told_as_they_are(name: str) -> None:
    text = page(name)

    for key, preset in retention.PRESETS.items():
        assert re.search(rf"^\| `{key}` \| {preset.years} \|", text, re.MULTILINE), key
    for key in presets.INDUSTRIES:
        found, words = presets.preset(key), LEVELS[name]
        row = re.search(rf"^\| `{key}`.*$", text, re.MULTILINE)
        assert row is not None, key
        cells = [cell.strip(" ") for cell in row[0].split("|")[2:-1]]
        actions = [words[found.rules.get(rule, "deliver")] for rule in SHOWN_RULES]
        narrower = [f"`{rule}` {words[action]}" for rule, action in found.rules.items() if rule not in SHOWN_RULES]
        sensitivity = words[found.sensitivity[Direction.OUTBOUND]]
        share = f"{found.review_share:.0%}"
        assert cells == [*actions, ", ".join(narrower), sensitivity, share, f"`{found.retention}`"], key


def test_a_released_version_is_the_newest_of_the_changelog() -> None:
    from tests.docs.project import PYPROJECT

    version: Any = PYPROJECT["project"]["version"]
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert headings[0] == "Unreleased" if "dev" in version else headings[0].strip("[]") == version
