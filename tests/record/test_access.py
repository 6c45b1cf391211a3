"""The access log: who read, unmasked or exported what, and that nobody unmasks without leaving a trace."""

from __future__ import annotations

import json
from typing import Any

import pytest

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import NotPermitted
from crm_contact_guard.record.access import record_export, record_unmask, record_view
from crm_contact_guard.record.models import Conversation, Event
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def talk() -> Conversation:
    return factories.conversation(factories.employee("aoi"))


@pytest.fixture
def officer() -> Employee:
    return factories.employee("compliance", job="compliance")


def kept(event: Event) -> tuple[Any, ...]:
    row = Event.objects.get(pk=event.pk)
    return (row.kind, row.subject_type, row.subject_id, row.actor_type, row.actor, row.conversation)


@pytest.mark.parametrize(("about", "told"), [("", None), ("a1", "a1")])
def test_a_view_says_by_whom_where_and_about_what(
    talk: Conversation, officer: Employee, about: str, told: str | None
) -> None:
    event = record_view(viewer=officer, conversation=talk, purpose="alert", subject_id=about)

    assert kept(event) == ("view.content", "conversation", str(talk.pk), "employee", str(officer.pk), talk)
    assert json.loads(event.data) == {"purpose": "alert", "about": told}


def test_unmasking_is_recorded(talk: Conversation, officer: Employee) -> None:
    event = record_unmask(viewer=officer, conversation=talk, reason="She asked")

    assert kept(event) == ("view.unmasked", "conversation", str(talk.pk), "employee", str(officer.pk), talk)


@pytest.mark.parametrize("changed", [{"role": "auditor"}, {"active": False}, {"tenant": "elsewhere"}])
def test_others_do_not_unmask(talk: Conversation, officer: Employee, changed: dict[str, Any]) -> None:
    for name, value in changed.items():
        setattr(officer, name, value)

    with pytest.raises(NotPermitted, match="unmasked"):
        record_unmask(viewer=officer, conversation=talk, reason="She asked")
    assert not Event.objects.filter(kind="view.unmasked").exists()


@pytest.mark.parametrize(("filters", "details"), [({}, None), ({"channel": "chat"}, {"filters": {"channel": "chat"}})])
def test_an_export_says_by_whom_and_of_what(
    officer: Employee, filters: dict[str, Any], details: dict[str, Any] | None
) -> None:
    officer.tenant = "kaede"

    event = record_export(viewer=officer, form="csv", filters=filters)

    assert kept(event) == ("export.streamed", "export", "csv", "employee", str(officer.pk), None)
    assert event.tenant == "kaede"
    assert json.loads(event.data) == {"form": "csv"}
    assert (json.loads(event.details) if event.details else None) == details
