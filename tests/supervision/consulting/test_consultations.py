"""Somebody asks for help with a customer: who is told, who sees it, how it goes on, and that it never harms."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.utils import timezone

from crm_contact_guard import permissions, tasks
from crm_contact_guard.directory.models import Team
from crm_contact_guard.exceptions import AlreadyClosed, InvalidMessage, NotPermitted
from crm_contact_guard.notices import outbox
from crm_contact_guard.notices.models import Notice
from crm_contact_guard.privacy.erasing import erase_events
from crm_contact_guard.record.models import Conversation, Event
from crm_contact_guard.supervision.consulting.consultations import (
    consultation_close,
    consultation_history,
    consultation_reply,
    follow_ups_remind,
)
from crm_contact_guard.supervision.consulting.models import Consultation
from crm_contact_guard.supervision.consulting.opening import consultation_noticed, consultation_open
from crm_contact_guard.supervision.consulting.recording import MAX_WORDS
from crm_contact_guard.supervision.models import Alert, Finding
from crm_contact_guard.verification.whole_record import verify
from tests import factories
from tests.supervision.consulting.conftest import Desk


def opened(desk: Desk, **more: Any) -> Consultation:
    return consultation_open(**{"conversation": desk.talk, "actor": desk["aoi"], **more})


def kinds(row: Consultation) -> list[str]:
    return [event.kind.removeprefix("consultation.") for event in consultation_history(row)]


def who_sees(row: Consultation, desk: Desk) -> set[str]:
    return {name for name, person in desk.people.items() if permissions.consultations(person).filter(pk=row.pk)}


def told() -> list[tuple[str, str]]:
    """Send what is due. Returns the addressees' names and which steps the mails are about."""
    mail.outbox.clear()
    for notice in outbox.due():
        outbox.notice_send(notice)
    keys = [(sent, sent.extra_headers["Message-ID"][len("<notice-") :].partition("-")[0]) for sent in mail.outbox]
    steps = [(sent, Event.objects.get(pk=Notice.objects.get(pk=key).subject_id)) for sent, key in keys]
    return [(sent.to[0].split("@")[0], step.kind.partition(".")[2]) for sent, step in steps]


def test_the_supervisor_is_told_and_team_mates_and_auditors_see_nothing(desk: Desk) -> None:
    said = factories.recorded(desk.talk, "You useless idiot, answer me!")
    row = opened(desk, words="She shouts every day.", messages=[said.pk])

    assert (row.addressee, row.employee, row.origin) == (desk["sora"], desk["aoi"], "employee")
    assert row.messages == [str(said.pk)]
    assert who_sees(row, desk) == {"aoi", "sora", "yui", "compliance"}
    assert told() == [("sora", "opened")]
    assert "shouts" not in mail.outbox[0].body + mail.outbox[0].subject
    assert desk["aoi"].name not in mail.outbox[0].body
    assert told() == []
    assert [event.reason for event in consultation_history(row)] == ["She shouts every day."]


def test_compliance_instead_of_the_supervisor(desk: Desk) -> None:
    row = opened(desk, to_compliance=True)

    assert row.addressee == desk["compliance"]
    assert who_sees(row, desk) == {"aoi", "compliance"}
    assert not permissions.events(desk["sora"]).filter(subject_id=str(row.pk)).exists()
    # Nor does the supervisor learn of it by opening one for the employee.
    assert consultation_open(conversation=desk.talk, actor=desk["sora"]).pk != row.pk


def test_a_supervisor_who_is_pressed_asks_the_deputy(desk: Desk) -> None:
    Conversation.objects.filter(pk=desk.talk.pk).update(employee=desk["sora"])
    desk.talk.refresh_from_db()

    row = opened(desk, actor=desk["sora"])

    assert (row.employee, row.addressee) == (desk["sora"], desk["yui"])
    assert not permissions.may_help(desk["sora"], row)


def test_without_a_supervisor_compliance_is_asked(desk: Desk) -> None:
    Team.objects.update(supervisor=None, deputy=None)

    assert opened(desk).addressee == desk["compliance"]


def test_asking_makes_no_finding_and_no_alert_and_the_record_holds(desk: Desk) -> None:
    said = factories.received("See you at seven.", desk.talk)
    row = opened(desk, words="I don't know whether this is all right.", messages=[said.pk])
    consultation_reply(consultation_id=row.pk, actor=desk["sora"], text="It is good that you ask.")
    told()

    assert not Alert.objects.exists()
    assert not Finding.objects.exists()
    assert verify().faults == []


def test_a_second_click_adds_to_the_open_one(desk: Desk) -> None:
    first, second = (factories.recorded(desk.talk, text) for text in ("Answer!", "Answer me now!"))
    row = opened(desk, messages=[first.pk])

    assert opened(desk, messages=[first.pk]).pk == row.pk
    assert kinds(row) == ["opened"]
    assert opened(desk, messages=[second.pk], words="Again.").pk == row.pk

    row.refresh_from_db()
    assert row.messages == [str(first.pk), str(second.pk)]
    assert kinds(row) == ["opened", "added"]
    assert Consultation.objects.count() == 1


def test_replies_go_to_the_other_side_and_open_a_closed_one_again(desk: Desk) -> None:
    row = opened(desk)
    told()
    consultation_reply(consultation_id=row.pk, actor=desk["sora"], text="I'll call him.")
    assert told() == [("aoi", "replied")]
    consultation_close(consultation_id=row.pk, actor=desk["sora"], result="warned", text="Done.")
    assert told() == [("aoi", "closed")]

    consultation_reply(consultation_id=row.pk, actor=desk["aoi"], text="He began again.")

    row.refresh_from_db()
    assert (row.status, row.result, row.closed_at) == ("open", "", None)
    assert kinds(row) == ["opened", "replied", "closed", "replied"]
    assert told() == [("sora", "replied")]
    assert verify().faults == []


def test_how_it_ends(desk: Desk) -> None:
    row = opened(desk)
    with pytest.raises(NotPermitted):
        consultation_close(consultation_id=row.pk, actor=desk["aoi"], result="restricted")
    with pytest.raises(InvalidMessage):
        consultation_close(consultation_id=row.pk, actor=desk["sora"], result="dismissal")

    consultation_close(consultation_id=row.pk, actor=desk["aoi"], result="settled")
    consultation_close(consultation_id=row.pk, actor=desk["aoi"], result="settled")
    with pytest.raises(AlreadyClosed):
        consultation_close(consultation_id=row.pk, actor=desk["sora"], result="advised")

    assert kinds(row) == ["opened", "closed"]


@pytest.mark.parametrize("who", ["ken", "ren", "boss", "auditor"])
def test_nobody_without_a_part_takes_part(desk: Desk, who: str) -> None:
    row = opened(desk)

    for act in (
        lambda: consultation_open(conversation=desk.talk, actor=desk[who]),
        lambda: consultation_reply(consultation_id=row.pk, actor=desk[who], text="Hm"),
        lambda: consultation_close(consultation_id=row.pk, actor=desk[who], result="settled"),
    ):
        with pytest.raises(NotPermitted):
            act()
    assert kinds(row) == ["opened"]


def test_a_date_comes_back_once(desk: Desk, clock: Any) -> None:
    row = opened(desk)
    told()
    with pytest.raises(NotPermitted):
        consultation_reply(
            consultation_id=row.pk, actor=desk["aoi"], text="", follow_up_at=timezone.now() + timedelta(days=1)
        )
    with pytest.raises(InvalidMessage):
        consultation_reply(
            consultation_id=row.pk, actor=desk["sora"], text="", follow_up_at=timezone.now() - timedelta(days=1)
        )
    consultation_reply(
        consultation_id=row.pk, actor=desk["sora"], text="", follow_up_at=timezone.now() + timedelta(days=7)
    )
    assert told() == []
    assert follow_ups_remind() == []

    clock.forward(timedelta(days=8))
    assert follow_ups_remind() == [row.pk]
    assert follow_ups_remind() == []

    assert told() == [("sora", "follow_up_due")]
    assert kinds(row) == ["opened", "replied", "follow_up_due"]


def test_bad_input_changes_nothing(desk: Desk) -> None:
    other = factories.recorded(factories.conversation(desk["ren"], name="Robert King"), "Hello")

    for wrong in (
        {"wish": "revenge"},
        {"words": "x" * (MAX_WORDS + 1)},
        {"messages": [other.pk]},
        {"messages": [uuid4()]},
        {"findings": [uuid4()]},
    ):
        with pytest.raises(InvalidMessage):
            opened(desk, **wrong)
    row = opened(desk)
    with pytest.raises(InvalidMessage):
        consultation_reply(consultation_id=row.pk, actor=desk["aoi"], text=" \n")
    assert kinds(row) == ["opened"]


def test_one_that_opens_by_itself_tells_both_and_never_twice(desk: Desk) -> None:
    said = factories.recorded(desk.talk, "LINE?")
    row = consultation_noticed(conversation=desk.talk, origin="repeated_contact", messages=[said.pk])
    assert row is not None
    assert consultation_noticed(conversation=desk.talk, origin="repeated_contact", messages=[said.pk]) == row
    assert sorted(told()) == [
        ("aoi", "opened"),
        ("sora", "opened"),
    ]
    consultation_close(consultation_id=row.pk, actor=desk["sora"], result="advised")

    assert consultation_noticed(conversation=desk.talk, origin="repeated_contact", messages=[said.pk]) is None
    assert kinds(row) == ["opened", "closed"]


def test_nobody_is_helped_where_nobody_answers(desk: Desk) -> None:
    Conversation.objects.filter(pk=desk.talk.pk).update(employee=None)
    said = factories.recorded(desk.talk, "LINE?")

    assert consultation_noticed(conversation=desk.talk, origin="harassment", messages=[said.pk]) is None


def test_the_words_can_be_erased_and_the_rest_still_holds(desk: Desk) -> None:
    row = opened(desk, words="Hanako Sato shouts at me.")
    erase_events(Event.objects.filter(conversation=desk.talk), basis="request")

    assert [event.reason for event in consultation_history(row)] == [None]
    assert verify().faults == []


def _refuse(*_args: Any) -> int:
    raise ConnectionRefusedError("no mail server")


def test_a_mail_that_fails_is_tried_again(desk: Desk, monkeypatch: pytest.MonkeyPatch, clock: Any) -> None:
    opened(desk)
    with monkeypatch.context() as broken:
        broken.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", _refuse)
        assert told() == []
    assert told() == []

    clock.forward(timedelta(minutes=1))

    assert told() == [("sora", "opened")]
    assert Notice.objects.get(way="email").attempts == 2
    assert verify().faults == []


def test_the_sweep_finds_what_a_dead_worker_left(
    desk: Desk, settings: Any, clock: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "TASKS": "inline"}
    opened(desk)
    Notice.objects.filter(way="email").update(state="sending", lease_until=timezone.now() + timedelta(seconds=30))
    mail.outbox.clear()
    clock.forward(timedelta(minutes=1))

    with django_capture_on_commit_callbacks(execute=True):
        assert tasks.sweep()["notified"] == 1

    assert [sent.to for sent in mail.outbox] == [[desk["sora"].email]]
