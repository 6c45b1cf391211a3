"""What the documentation must name: every setting, check and channel."""

from __future__ import annotations

import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from crm_contact_guard.conf import DEFAULTS

ROOT = Path(__file__).parents[1]
SETTINGS = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
CHANNELS = (ROOT / "docs" / "channels.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(DEFAULTS))
def test_every_setting_is_documented(name: str) -> None:
    assert f"| `{name}` |" in SETTINGS


def test_every_check_is_documented_and_exists() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "crm_contact_guard").rglob("*.py"))
    raised = set(re.findall(r'id="(crm_contact_guard\.[EW]\d{3})"', source))
    documented = set(re.findall(r"`(crm_contact_guard\.[EW]\d{3})`", SETTINGS))

    assert documented == raised


def test_the_reference_is_in_step_with_the_code() -> None:
    spec = spec_from_file_location("reference", ROOT / "tools" / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    tool = module_from_spec(spec)
    spec.loader.exec_module(tool)

    assert tool.stale() == []


def test_every_check_of_the_reference_says_something() -> None:
    rows = re.findall(
        r"^\| `crm_contact_guard\.\w+` \| (.*?) \|", (ROOT / "docs/reference_checks.md").read_text(), re.MULTILINE
    )

    assert rows
    assert not [row for row in rows if not re.search(r"\w{3}", row)]


def test_every_channel_is_documented() -> None:
    folder = ROOT / "crm_contact_guard" / "channels"
    channels = re.findall(r"class (\w+)\(Channel\)", "".join(path.read_text() for path in folder.rglob("*.py")))

    assert not [name for name in channels if name not in CHANNELS]
