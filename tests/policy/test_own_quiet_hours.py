"""Quiet hours that the host gives for one customer, and codes of holidays that nobody knows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.core.checks import run_checks
from django.utils import timezone

from crm_contact_guard.directory.mirror import customer_for
from crm_contact_guard.directory.models import Customer
from crm_contact_guard.installation.working_time import hours_items
from crm_contact_guard.policy import moments
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.verification.whole_record import verify
from tests import factories
from tests.host.models import User

pytestmark = pytest.mark.django_db

NOON = datetime.fromisoformat("2026-11-24T12:00:00+09:00")


def is_quiet(talk: Conversation) -> bool:
    talk.refresh_from_db()
    assert talk.employee is not None
    return moments.moment_of(talk.employee, NOON, conversation=talk).quiet_applies


def test_a_customers_own_quiet_hours_come_first_and_are_proven(settings: Any) -> None:
    clerk = factories.employee("aoi", hours={"mon-sun": "00:00-24:00"})
    talk = factories.conversation(clerk)
    customer = talk.customer
    assert not is_quiet(talk)
    assert verify().holds, "an event from before there were such hours"
    guard = settings.CONTACT_GUARD
    customers = {**guard["CUSTOMER"], "QUIET_HOURS": "manager.calendar"}

    def given(own: dict[str, Any] | None, general: dict[str, Any]) -> bool:
        settings.CONTACT_GUARD = {**guard, "CUSTOMER": customers, "QUIET_HOURS": general}
        User.objects.filter(pk=clerk.user_id).update(calendar=own)
        assert customer.key
        customer_for(customer.key)
        assert verify().holds
        return is_quiet(talk)

    assert given({"daily": "11:00-13:00", "days": ["sun"]}, {})
    assert not given({"daily": "20:00-22:00"}, {"daily": "11:00-13:00"})
    assert not given({}, {"daily": "11:00-13:00"}), "this customer may always be written to"
    assert given(None, {"daily": "11:00-13:00"})
    assert given({"daily": "noon"}, {"daily": "11:00-13:00"}), "what can't be read doesn't count"
    settings.CONTACT_GUARD = guard
    User.objects.update(calendar=None)
    assert [item.says for item in hours_items() if "'noon' is not like" in item.says]

    Customer.objects.filter(pk=customer.pk).update(quiet_hours={"daily": "00:00-24:00"})
    report = verify()
    assert [fault for fault in report.faults if "quiet_hours" in str(fault)]


def test_unknown_codes_of_holidays_are_an_error_before_any_message(settings: Any) -> None:
    def found(*codes: Any) -> list[tuple[str, str]]:
        settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "HOLIDAYS": list(codes)}
        ours = ("crm_contact_guard.E052", "crm_contact_guard.W010")
        return [(str(one.id)[-4:], str(one.msg)) for one in run_checks() if one.id in ours]

    assert found("JP", "GB-ENG", "2026-12-30") == []
    [(number, text)] = found("JP", "Japan")
    assert number == "E052"
    assert "'Japan' is not a code" in text
    assert [number for number, _text in found("GB-XXX", 7)] == ["E052", "E052"]


def test_years_without_data_are_a_warning(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "HOLIDAYS": ["JP"]}
    late = datetime.fromisoformat("2150-01-01T00:00:00+00:00")
    monkeypatch.setattr(timezone, "now", lambda: late)

    messages = [one.msg for one in run_checks(tags=["crm_contact_guard"]) if one.id == "crm_contact_guard.W010"]

    assert [text for text in messages if "no data for JP in 2150" in text]
