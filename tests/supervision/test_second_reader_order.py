"""Questions asked twice, answered out of order, or left by a process that died."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from crm_contact_guard import tasks
from crm_contact_guard.conf import CONTACT_GUARD_SCHEDULE
from crm_contact_guard.reading.models import ReaderAnswer
from crm_contact_guard.record.models import Conversation, Event
from crm_contact_guard.supervision import inspection
from crm_contact_guard.supervision.models import Alert, Notice
from crm_contact_guard.supervision.second_reading import second_reader
from tests.reading.reader_server import NO, YES, ReaderServer, reader
from tests.supervision.test_second_reader import (  # noqa: F401 - fixtures
    ASK,
    alerted,
    asked,
    notices_something,
    says,
    server,
    talk,
    thinking,
)

pytestmark = pytest.mark.django_db
State = ReaderAnswer.State


def test_a_question_asked_twice_is_answered_once(talk: Conversation, server: ReaderServer) -> None:  # noqa: F811
    server.says = YES
    with reader(server):
        row = asked(notices_something(says(talk, "お店の外でも会いたいです")))
        assert second_reader.ask(row.pk) is None

    assert len(server.calls) == 1
    assert Event.objects.filter(kind="reader.answered").count() == 1


def test_two_workers_do_not_ask_at_once(talk: Conversation, server: ReaderServer) -> None:  # noqa: F811
    with reader(server):
        row = notices_something(says(talk, "お店の外でも会いたいです"))
        # The first waits for the server.
        soon = timezone.now() + timedelta(seconds=30)
        ReaderAnswer.objects.update(state=State.ASKING, attempts=1, lease_until=soon)
        assert second_reader.ask(row.pk) is None
        assert second_reader.due() == []

    assert not server.calls


def test_a_worker_that_died_is_followed_by_one_more_and_then_the_question_ends(
    talk: Conversation,  # noqa: F811
    server: ReaderServer,  # noqa: F811
    django_capture_on_commit_callbacks: object,
) -> None:
    past = timezone.now() - timedelta(seconds=1)
    with reader(server, MAY_DEMOTE=True):
        _alert, row = alerted(talk)
        ReaderAnswer.objects.update(state=State.ASKING, attempts=1, lease_until=past)
        assert second_reader.due() == [row.pk]
        ReaderAnswer.objects.update(attempts=2)
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
            assert tasks.sweep()["asked"] == 1

    row.refresh_from_db()
    assert (row.state, row.error) == ("failed", "crashed")
    assert not server.calls
    assert Alert.objects.get().status == "open"
    assert len(mail.outbox) == 1


def test_a_worker_that_was_taken_for_dead_is_not_heard_any_more(
    talk: Conversation,  # noqa: F811
    server: ReaderServer,  # noqa: F811
) -> None:
    with reader(server, MAY_DEMOTE=True):
        _alert, row = alerted(talk)
        slow, question, reply = thinking(row)
        ReaderAnswer.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        server.says = YES
        asked(row)
        assert second_reader._settle(slow, reply, question=question, chosen=second_reader.options()) is None

    row.refresh_from_db()
    assert (row.outcome, Alert.objects.get().status) == ("agreed", "open")


def test_an_alert_that_has_grown_since_is_not_set_aside_by_the_older_answer(
    talk: Conversation,  # noqa: F811
    server: ReaderServer,  # noqa: F811
) -> None:
    with reader(server, MAY_DEMOTE=True):
        _alert, first = alerted(talk)
        _same, second = alerted(talk, "LINEで話したいです。IDは hanako_23 です", 1)
        assert Alert.objects.count() == 1
        assert second.deadline == first.deadline
        assert asked(first).outcome == "overruled"
        # The newer question is still open, so the mail goes on waiting for it, and no longer than before.
        assert Notice.objects.get().due_at == first.deadline
        assert asked(second).outcome == "demoted"

    assert Alert.objects.get().status == "closed"


def test_answers_out_of_order_take_nothing_away(talk: Conversation, server: ReaderServer) -> None:  # noqa: F811
    with reader(server, MAY_DEMOTE=True):
        _alert, first = alerted(talk)
        _same, second = alerted(talk, "LINEで話したいです。IDは hanako_23 です", 1)
        assert asked(second).outcome == "overruled"
        assert asked(first).outcome == "overruled"

    assert Alert.objects.get().status == "open"
    assert Notice.objects.get().due_at <= timezone.now()


def test_a_yes_to_any_part_of_it_outweighs_a_no(talk: Conversation, server: ReaderServer) -> None:  # noqa: F811
    server.says = YES
    with reader(server, MAY_DEMOTE=True):
        _alert, first = alerted(talk)
        _same, second = alerted(talk, "LINEで話したいです。IDは hanako_23 です", 1)
        assert asked(first).outcome == "agreed"
        server.says = NO
        assert asked(second).outcome == "overruled"

    assert Alert.objects.get().status == "open"


def test_a_mail_on_its_way_is_not_taken_back(talk: Conversation, server: ReaderServer) -> None:  # noqa: F811
    with reader(server, MAY_DEMOTE=True):
        _alert, row = alerted(talk)
        Notice.objects.update(state="sending", attempts=1)
        assert asked(row).outcome == "overruled"

    assert Alert.objects.get().status == "open"
    assert Notice.objects.exists()


def test_a_promotion_joins_the_alert_that_came_about_meanwhile(
    talk: Conversation,  # noqa: F811
    server: ReaderServer,  # noqa: F811
) -> None:
    server.says = YES
    with reader(server):
        row = notices_something(says(talk, "お店の外でも会いたいです"))
        inspection.inspect(says(talk, ASK, 1))
        row = asked(row)

    assert row.alert == Alert.objects.get()


def test_a_reader_that_was_taken_away_ends_what_waits(talk: Conversation, server: ReaderServer) -> None:  # noqa: F811
    with reader(server, MAY_DEMOTE=True):
        alert, row = alerted(talk)
    assert asked(row).error == "off"
    assert alert.notices.get().due_at <= timezone.now()


def test_the_warning_is_due_a_sweep_before_the_longest_delay(talk: Conversation, server: ReaderServer) -> None:  # noqa: F811
    with reader(server, MAY_DEMOTE=True, MAX_DELAY=45):
        alert, _row = alerted(talk)

    waits = alert.notices.get().due_at - alert.opened_at
    assert waits <= timedelta(seconds=45 - CONTACT_GUARD_SCHEDULE["contact-guard-sweep"]["schedule"])


def test_a_rescan_asks_nobody(talk: Conversation, server: ReaderServer) -> None:  # noqa: F811
    with reader(server):
        inspection.inspect(says(talk, ASK), notify=False)

    assert not ReaderAnswer.objects.exists()
