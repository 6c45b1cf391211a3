"""The mail about an alert: to whom, in which language, with what title, and what becomes of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import django
import pytest
from django.conf import settings as configured
from django.test import override_settings
from django.utils import translation

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.supervision import notices
from crm_contact_guard.supervision.models import Alert, FindingKind, Notice, Topic
from crm_contact_guard.supervision.titles import alert_title
from tests import factories
from tests.clock import Clock
from tests.supervision.test_alert_windows import raised, says, verdict

pytestmark = pytest.mark.django_db


@pytest.fixture
def conversation(clock: Clock) -> Conversation:
    return factories.conversation(factories.employee("aoi", branch=factories.team(head="sora", deputy="yui")))


@pytest.fixture
def alert(conversation: Conversation) -> Alert:
    return raised(conversation, verdict(says(conversation)))


def row() -> Notice:
    return Notice.objects.get()


def test_the_mail_goes_once_to_the_addressee_in_their_language(alert: Alert, clock: Clock, mailoutbox: Any) -> None:
    Employee.objects.filter(name="Sora").update(language="ja")

    with guard(PUBLIC_URL="https://crm.example/", COMPANY_NAME="Hotel\nKaede"), translation.override("en"):
        assert notices.notice_send(row().pk)
        assert not notices.notice_send(row().pk)

    [mail] = mailoutbox
    assert mail.to == ["sora@kaede.example"]
    with translation.override("ja"):
        assert mail.subject == f"[Hotel Kaede] {alert_title(alert)}"
    assert f"https://crm.example/guard/alerts/{alert.pk}/" in mail.body
    assert mail.extra_headers == {
        "Message-ID": f"<alert-{alert.pk}-{row().pk}@contact-guard.invalid>",
        "Auto-Submitted": "auto-generated",
    }
    assert (row().state, row().due_at, row().lease_until, row().last_error) == ("sent", None, None, "")
    assert (row().sent_at, row().attempts) == (clock.now, 1)


def guard(**changes: object) -> Any:
    return override_settings(CONTACT_GUARD={**configured.CONTACT_GUARD, **changes})


def test_the_mail_of_somebody_without_a_language_is_in_the_active_one(alert: Alert, mailoutbox: Any) -> None:
    Employee.objects.update(language="")

    with translation.override("ja"):
        notices.notice_send(row().pk)
        assert alert_title(alert) in mailoutbox[0].subject


def test_somebody_without_an_address_gets_no_mail_and_that_shows(alert: Alert, mailoutbox: Any) -> None:
    Employee.objects.update(email="")

    assert not notices.notice_send(row().pk)

    assert (row().state, row().last_error) == ("failed", "no e-mail address")
    assert (row().due_at, row().lease_until) == (None, None)
    assert notices.due(alert) == notices.due_alerts() == []
    assert mailoutbox == []


def test_each_alert_has_its_own_notices(
    alert: Alert, conversation: Conversation, clock: Clock, mailoutbox: Any
) -> None:
    other = raised(conversation, verdict(says(conversation), topic="harassment"))
    mine, theirs = Notice.objects.get(alert=alert), Notice.objects.get(alert=other)
    second = Notice.objects.create(alert=alert, employee=conversation.employee, channel="email", due_at=clock.now)

    assert notices.due(alert) == [mine.pk, second.pk]
    assert notices.due(other) == [theirs.pk]
    assert notices.due_alerts() == sorted([alert.pk, other.pk])
    assert notices.due_alerts(limit=1) == sorted([alert.pk, other.pk])[:1]

    assert notices.notice_send(mine.pk)
    theirs.refresh_from_db()
    assert (theirs.state, theirs.attempts, len(mailoutbox)) == ("queued", 0, 1)
    assert notices.due(alert) == [second.pk]


def test_a_mail_is_not_sent_before_it_is_due(alert: Alert, clock: Clock, mailoutbox: Any) -> None:
    Notice.objects.update(due_at=clock.now + timedelta(seconds=1))
    assert not notices.notice_send(row().pk)
    assert (row().attempts, mailoutbox) == (0, [])

    clock.forward(1)
    assert notices.notice_send(row().pk)


def test_a_broken_mail_system_is_named(alert: Alert, clock: Clock, settings: Any) -> None:
    if django.VERSION >= (6, 1):
        settings.MAILERS = {"default": {"BACKEND": f"{__name__}.Broken"}}
    else:
        settings.EMAIL_BACKEND = f"{__name__}.Broken"

    assert not notices.notice_send(row().pk)

    assert (row().state, row().lease_until, row().due_at) == ("queued", None, clock.now + timedelta(seconds=30))
    assert row().last_error == ("RuntimeError: " + "no route " * 100)[:500]
    assert row().sent_at is None


class Broken:
    """A mail back end that fails with many words."""

    def __init__(self, *_given: Any, **_options: Any) -> None:
        pass

    def send_messages(self, _messages: object) -> int:
        raise RuntimeError("no route " * 100)


# --- titles


@pytest.mark.parametrize(
    ("changed", "title"),
    [
        ({"by": "employee", "kind": "contact_identifier"}, "Aoi gave a private contact to Hanako Sato"),
        ({"by": "employee", "kind": "contact_request"}, "Aoi invited Hanako Sato to talk elsewhere"),
        ({"by": "employee", "kind": "private_meeting"}, "Aoi suggested meeting Hanako Sato privately"),
        ({"by": "employee", "kind": "side_deal"}, "Aoi proposed a deal past the company to Hanako Sato"),
        ({"by": "customer", "kind": "contact_identifier"}, "Hanako Sato gave Aoi a private contact"),
        ({"by": "customer", "kind": "contact_request"}, "Hanako Sato asks Aoi for private contact"),
        ({"by": "customer", "kind": "private_meeting"}, "Hanako Sato asks Aoi to meet privately"),
        ({"by": "customer", "kind": "side_deal"}, "Hanako Sato proposes a deal past the company to Aoi"),
        ({"by": "customer", "kind": "repeated_contact"}, "Hanako Sato keeps pressing Aoi"),
        ({"by": "customer", "kind": "harassment"}, "Hanako Sato is harassing Aoi"),
        ({"by": "employee", "kind": "repeated_contact"}, "Aoi and Hanako Sato are leaving the company's channels"),
        ({"by": "employee", "stance": "accept"}, "Aoi agreed to talk elsewhere with Hanako Sato"),
        ({"by": "customer", "stance": "accept"}, "Hanako Sato agreed to talk elsewhere with Aoi"),
        ({"topic": "after_hours", "stance": "accept"}, "Aoi wrote to Hanako Sato outside working hours"),
        ({"topic": "sensitive_data"}, "Sensitive data in the conversation between Aoi and Hanako Sato"),
        ({"topic": "scan_failure"}, "A message between Aoi and Hanako Sato could not be inspected"),
        ({"concerned": None, "kind": "side_deal"}, "Hanako Sato proposes a deal past the company to the team"),
    ],
)
def test_a_title_says_who_does_what(alert: Alert, changed: dict[str, Any], title: str) -> None:
    for name, value in changed.items():
        setattr(alert, name, value)

    assert alert_title(alert) == title


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_alert_has_a_title_with_both_names(alert: Alert, language: str) -> None:
    with translation.override(language):
        for alert.topic in Topic.values:
            for alert.kind in FindingKind.values:
                for alert.by in ("employee", "customer"):
                    for alert.stance in ("none", "ask", "accept", "decline"):
                        assert "Aoi" in alert_title(alert)
                        assert "Hanako Sato" in alert_title(alert)
