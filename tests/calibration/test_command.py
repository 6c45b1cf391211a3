"""``contact_guard_calibrate``: output in two languages and JSON; nothing is written without confirmation."""

from __future__ import annotations

import io
import json
import tomllib
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from crm_contact_guard.detection.company_rules.file import read_company
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.policy.decision import Override, OverrideCode
from crm_contact_guard.record.models import Event
from tests import factories
from tests.calibration.record import message, talk

pytestmark = pytest.mark.django_db

ASK = "LINE交換しませんか？ID: hanako_22"
DESK, MAIL = "03-5550-1234", "desk@minato-hotel.jp"


@pytest.fixture
def record() -> list[Employee]:
    branch = factories.team(head="sora")
    staff = [factories.employee(name, branch=branch) for name in ("aoi", "ken", "mei")]
    for number in range(6):
        one = talk(staff[number % 3], f"Guest {number}")
        message(one, f"Call the desk at {DESK} or write to {MAIL}.", direction="outbound")
        message(one, "Thank you!", minutes=5)
    return staff


def calibrate(*arguments: str, language: str = "en") -> str:
    out = io.StringIO()
    with translation.override(language):
        call_command("contact_guard_calibrate", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def refused(*arguments: str) -> CommandError:
    with pytest.raises(CommandError) as caught:
        calibrate(*arguments)
    return caught.value


def test_the_output_is_in_english_or_japanese(record: list[Employee]) -> None:
    words = calibrate()

    assert "12 messages in 6 conversations read" in words
    assert "Messages from customers" in words
    assert "Small numbers: 0 closed alerts." in words
    assert "telephone 03" in words
    assert DESK not in words
    assert MAIL not in words

    told = calibrate(language="ja")
    assert "6件の会話、12通のメッセージを確認しました" in told
    assert "お客様のメッセージ" in told


def test_contacts_are_masked_unless_requested_in_full(record: list[Employee]) -> None:
    words = calibrate("--show")

    assert DESK in words
    assert MAIL in words
    assert not Event.objects.filter(kind="company.contacts_confirmed").exists()


def test_the_output_as_json(record: list[Employee]) -> None:
    told = json.loads(calibrate("--json"))

    assert (told["messages"], told["conversations"], told["judged"]) == (12, 6, {"true": 0, "false": 0})
    inbound = told["directions"]["inbound"]
    assert inbound["now"] == inbound["proposed"] | {"noticed": inbound["now"]["noticed"]}
    assert (inbound["small"], inbound["why"]) == (True, "too_few")
    thresholds = [cost["threshold"] for cost in inbound["costs"]]
    assert thresholds == sorted(thresholds)
    assert {one["list"]: (one["employees"], one["customers"]) for one in told["contacts"]} == {
        "emails": (3, 6), "phones": (3, 6),
    }  # fmt: skip
    assert DESK not in json.dumps(told)
    assert told["mistakes"] == {}

    for code, name in (("mistake", "Jun Mori"), ("other", "Rin Abe"), ("mistake", "Ryo Ono")):
        reason = Override(code=OverrideCode(code), text="Asked for")
        factories.sent(factories.conversation(record[0], name=name), ASK, "chat", override=reason)
    assert json.loads(calibrate("--json"))["mistakes"]["attempt"].items() >= {"part": 2, "whole": 3}.items()
    assert "attempt: 2 of 3" in calibrate()


def test_confirming_writes_a_valid_file_and_is_recorded(record: list[Employee], tmp_path: Path) -> None:
    path = tmp_path / "company.toml"

    assert "2 contacts written" in calibrate("--confirm", str(path))

    written = read_company(str(path))
    assert (written.phones, written.emails) == ({DESK}, {MAIL})
    event = Event.objects.get(kind="company.contacts_confirmed")
    assert event.actor.startswith("command:")
    assert event.subject_id == sha256(path.read_bytes()).hexdigest()
    assert json.loads(event.data) == {"added": {"emails": 1, "phones": 1}}
    assert DESK not in event.data
    assert json.loads(event.details or "{}")["added"] == {"emails": [MAIL], "phones": [DESK]}

    again = refused("--confirm", str(path))
    assert (again.returncode, Event.objects.filter(kind="company.contacts_confirmed").count()) == (1, 1)


def test_the_content_of_the_file_is_kept(record: list[Employee], tmp_path: Path) -> None:
    path = tmp_path / "company.toml"
    path.write_text(
        '# ours\nversion = "7"\nphones = [\n  "0120-000-000", # desk ]\n  "0120-000-001",\n]\nhandles = ["minato"]\n\n'
        '[own_words]  # of the house\nside_deal = ["裏メニュー"]\n',
        "utf-8",
    )
    path.chmod(0o640)

    calibrate("--confirm", str(path), "--leave-out", MAIL)

    held = tomllib.loads(path.read_text("utf-8"))
    assert held == {
        "version": "7",
        "phones": ["0120-000-000", "0120-000-001", DESK],
        "handles": ["minato"],
        "own_words": {"side_deal": ["裏メニュー"]},
    }
    assert "# ours" in path.read_text("utf-8")
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "content"), [("company.toml", "phones = ["), ("company.json", "{}"), ("company.toml", "fones = []")]
)
def test_a_file_that_can_not_be_extended_is_left_unchanged(
    record: list[Employee], tmp_path: Path, name: str, content: str
) -> None:
    path = tmp_path / name
    path.write_text(content, "utf-8")

    error = refused("--confirm", str(path))

    assert error.returncode == 2
    assert "Nothing was written." in str(error)
    assert path.read_text("utf-8") == content
    assert list(tmp_path.iterdir()) == [path]
    assert not Event.objects.filter(kind="company.contacts_confirmed").exists()


def test_a_missing_folder_is_reported(record: list[Employee], tmp_path: Path) -> None:
    assert refused("--confirm", str(tmp_path / "none" / "company.toml")).returncode == 2
    assert not Event.objects.filter(kind="company.contacts_confirmed").exists()


def test_leaving_out_a_contact_that_was_not_proposed_is_reported(record: list[Employee], tmp_path: Path) -> None:
    error = refused("--confirm", str(tmp_path / "c.toml"), "--leave-out", "0120-999-999")

    assert error.returncode == 2
    assert "0120-999-999" in str(error)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_period_has_no_proposals(record: list[Employee]) -> None:
    assert refused("--since", "2027-01-01").returncode == 1


@pytest.mark.parametrize("day", ["yesterday", "2026-13-40"])
def test_an_invalid_date_is_reported(day: Any) -> None:
    with pytest.raises(CommandError, match="is neither a date"):
        calibrate("--since", day)
