"""Versions of the rules: published, proposed, approved, withdrawn, and each recorded whole."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from crm_contact_guard import gateway
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.policy.actions import Action
from crm_contact_guard.policy.rulebook import from_settings
from crm_contact_guard.policy.versions.current import company_now, in_force
from crm_contact_guard.policy.versions.models import PolicyVersion
from crm_contact_guard.policy.versions.publishing import (
    shadow_start,
    version_approve,
    version_publish,
    version_withdraw,
)
from crm_contact_guard.record.models import Event
from crm_contact_guard.verification.whole_record import verify
from tests import factories
from tests.policy.versions.conftest import book

pytestmark = pytest.mark.django_db

ASKS = "LINE交換しませんか？ID: hanako_22"
STRICT = {"RULES": {"attempt": "block"}}


def act(**given: Any) -> Any:
    """Send the text in which an employee asks for a private contact."""
    employee = Employee.objects.filter(name="Aoi").first() or factories.employee(
        "aoi", hours={"mon-sun": "00:00-24:00"}
    )
    return gateway.send(actor=employee, conversation=factories.conversation(employee), text=ASKS, **given)


def test_without_a_published_version_the_settings_apply() -> None:
    found = in_force()

    assert (found.version.id, found.rules, found.shadow) == (None, from_settings(), None)
    assert not PolicyVersion.objects.exists(), "reading records nothing"


def test_the_settings_rules_are_recorded_when_a_decision_rests_on_them_and_once(settings: Any) -> None:
    first, again = act(), act()

    row = PolicyVersion.objects.get()
    assert (row.origin, row.digest, row.text) == ("settings", from_settings().digest, from_settings().text)
    assert first.decision.version == again.decision.version == row.digest
    decisions = [json.loads(event.data) for event in Event.objects.filter(kind="decision.nudge")]
    assert [one["policy"] for one in decisions] == [row.digest] * 2

    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, **STRICT}
    assert act().decision.action is Action.BLOCK
    assert PolicyVersion.objects.count() == 2
    assert verify().holds


def test_a_message_without_objection_records_no_version() -> None:
    employee = factories.employee("aoi", hours={"mon-sun": "00:00-24:00"})
    gateway.send(actor=employee, conversation=factories.conversation(employee), text="Your room is ready.")

    assert not PolicyVersion.objects.exists()


def test_a_published_version_decides_from_then_on(officer: Employee) -> None:
    row = version_publish(rules=book(**STRICT), reason="Two breaches in May", published_by=officer)
    from_now = in_force(officer.tenant)

    assert (from_now.version.id, from_now.rules) == (row.pk, book(**STRICT))
    sent = act()
    assert (sent.message, sent.decision.action, sent.decision.version) == (None, Action.BLOCK, row.digest)
    assert PolicyVersion.objects.count() == 1, "it needs no version of the settings"


def test_a_publication_records_the_whole_version_with_who_why_and_when(officer: Employee) -> None:
    when = timezone.now() + timedelta(days=3)
    row = version_publish(rules=book(**STRICT), reason="Two breaches in May", published_by=officer, valid_from=when)

    event = Event.objects.get(subject_type="policy")
    told = json.loads(event.data)["row"]
    assert (event.kind, event.actor, event.reason) == ("policy.published", str(officer.pk), "Two breaches in May")
    assert told["text"] == book(**STRICT).text == row.text
    assert told["valid_from"].startswith(when.date().isoformat())
    assert verify().holds


def test_a_version_applies_from_its_time_and_the_later_one_wins(officer: Employee) -> None:
    soon = timezone.now() + timedelta(hours=2)
    version_publish(rules=book(INDUSTRY="sales"), reason="First", published_by=officer)
    later = version_publish(rules=book(**STRICT), reason="Second", published_by=officer, valid_from=soon)
    assert in_force("").rules.industry == "sales"

    PolicyVersion.objects.filter(pk=later.pk).update(valid_from=timezone.now())
    in_force_now(later)


def in_force_now(row: PolicyVersion) -> None:
    from crm_contact_guard.policy.versions import current

    current.forget()
    assert in_force(row.tenant).version.id == row.pk


def test_the_thresholds_of_a_version_apply_to_detection(officer: Employee) -> None:
    assert company_now().threshold == 0.5

    version_publish(rules=book(THRESHOLDS={"alert": 0.77}), reason="Too many alerts", published_by=officer)

    assert company_now().threshold == 0.77


def test_versions_of_another_tenant_do_not_apply(officer: Employee) -> None:
    Employee.objects.filter(pk=officer.pk).update(tenant="elsewhere")
    officer.refresh_from_db()
    version_publish(rules=book(**STRICT), reason="Theirs", published_by=officer)

    assert in_force("").version.id is None
    assert in_force("elsewhere").version.id is not None


def test_with_approval_a_second_person_publishes(officer: Employee, second: Employee, settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "POLICY_APPROVAL": True}
    row = version_publish(rules=book(**STRICT), reason="Why", published_by=officer)
    assert (row.state, in_force("").version.id) == ("proposed", None)
    with pytest.raises(NotPermitted, match="Somebody else"):
        version_approve(version_id=row.pk, approved_by=officer)

    row = version_approve(version_id=row.pk, approved_by=second)

    assert (row.state, row.approved_by) == ("published", second)
    in_force_now(row)
    with pytest.raises(InvalidMessage, match="already decided"):
        version_approve(version_id=row.pk, approved_by=second)
    assert [event.kind for event in Event.objects.filter(subject_type="policy").order_by("id")] == [
        "policy.proposed",
        "policy.approved",
    ]
    assert verify().holds


def test_a_version_that_is_not_valid_yet_can_be_withdrawn_and_a_valid_one_not(officer: Employee) -> None:
    soon = timezone.now() + timedelta(hours=2)
    waits = version_publish(rules=book(**STRICT), reason="Why", published_by=officer, valid_from=soon)
    valid = version_publish(rules=book(**STRICT), reason="Why", published_by=officer)

    version_withdraw(version_id=waits.pk, reason="Too soon", withdrawn_by=officer)
    with pytest.raises(InvalidMessage, match="already valid"):
        version_withdraw(version_id=valid.pk, reason="Mistake", withdrawn_by=officer)
    with pytest.raises(InvalidMessage, match="already decided"):
        version_withdraw(version_id=waits.pk, reason="Again", withdrawn_by=officer)
    assert verify().holds


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reason": "  "}, "reason"),
        ({"valid_from": timedelta(hours=-2)}, "valid_from"),
        ({"valid_from": timedelta(days=400)}, "valid_from"),
    ],
)
def test_a_publication_needs_a_reason_and_a_time_ahead(officer: Employee, changes: dict[str, Any], field: str) -> None:
    if "valid_from" in changes:
        changes = {"valid_from": timezone.now() + changes["valid_from"]}
    with pytest.raises(InvalidMessage) as refused:
        version_publish(**{"rules": book(), "reason": "Why", "published_by": officer, **changes})

    assert refused.value.field == field
    assert not PolicyVersion.objects.exists()


def test_one_version_runs_silently_at_a_time_and_only_counts(officer: Employee) -> None:
    shadow_start(rules=book(SENSITIVITY="strict"), reason="Try", started_by=officer)
    silent = shadow_start(rules=book(**STRICT), reason="Try this", started_by=officer)

    sent = act()

    assert list(PolicyVersion.objects.filter(state="shadow")) == [silent]
    assert (sent.decision.action, sent.decision.version) == (Action.NUDGE, from_settings().digest)
    event = Event.objects.get(kind="policy.would_have")
    told = json.loads(event.data)
    assert (event.subject_id, told["did"], told["would"]) == (silent.digest, "nudge", "block")
    assert "hanako" not in event.data + str(event.details) + str(event.reason)
    assert verify().holds


def test_silent_thresholds_find_what_the_ones_in_force_let_pass(officer: Employee) -> None:
    employee = factories.employee("aoi", hours={"mon-sun": "00:00-24:00"})
    text = "Which messenger do you use most, by the way?"
    shadow_start(rules=book(THRESHOLDS={"alert": 0.02, "noticed": 0.02}), reason="Try", started_by=officer)

    sent = gateway.send(actor=employee, conversation=factories.conversation(employee), text=text)

    assert sent.message is not None
    told = json.loads(Event.objects.get(kind="policy.would_have").data)
    assert (told["did"], told["would"]) == ("deliver", "nudge")
