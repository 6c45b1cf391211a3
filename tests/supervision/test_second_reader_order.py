"""Questions asked twice, answered out of order, or left behind by a process that died."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from crm_contact_guard import tasks
from crm_contact_guard.conf import CONTACT_GUARD_SCHEDULE
from crm_contact_guard.notices.models import Notice
from crm_contact_guard.reading.models import ReaderAnswer
from crm_contact_guard.record.models import Conversation, Event
from crm_contact_guard.supervision import inspection
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.second_reading import second_reader
from tests.reading.reader_server import NO, YES, ReaderServer, reader
from tests.supervision.test_second_reader import (  # noqa: F401 - fixtures
    ASK,
    alerted,
    asked,
    mailing,
    notices_something,
    says,
    server,
    talk,
    thinking,
)

pytestmark = pytest.mark.django_db
State = ReaderAnswer.State


def test_a_question_asked_twice_is_applied_once(talk: Conversation, server: ReaderServer) -> None:  # noqa: F811
    server.says = YES
    with reader(server):
        row = asked(notices_something(says(talk, "お店の外でも会いたいです")))
        assert second_reader.ask(row.pk) is None

    assert len(server.calls) == 1
    assert Event.objects.filter(kind="reader.answered").count() == 1


def test_two_workers_do_not_ask_concurrently(talk: Conversation, server: ReaderServer) -> None:  # noqa: F811
    with reader(server):
        row = notices_something(says(talk, "お店の外でも会いたいです"))
        # The first waits for the server.
        soon = timezone.now() + timedelta(seconds=30)
        ReaderAnswer.objects.update(state=State.ASKING, attempts=1, lease_until=soon)
        assert second_reader.ask(row.pk) is None
        assert second_reader.due() == []

    assert not server.calls


def test_a_question_of_a_dead_worker_is_retried_once_and_then_ends(
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


def test_the_answer_of_a_worker_whose_lease_expired_is_ignored(
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


def test_an_alert_with_new_findings_is_not_closed_by_an_older_answer(
    talk: Conversation,  # noqa: F811
    server: ReaderServer,  # noqa: F811
) -> None:
    with reader(server, MAY_DEMOTE=True):
        _alert, first = alerted(talk)
        _same, second = alerted(talk, "LINEで話したいです。IDは hanako_23 です", 1)
        assert Alert.objects.count() == 1
        assert second.deadline == first.deadline
        assert asked(first).outcome == "overruled"
        # The newer question is still open, so the mail keeps waiting for it, but no longer than before.
        assert mailing(Alert.objects.get()).due_at == first.deadline
        assert asked(second).outcome == "demoted"

    assert Alert.objects.get().status == "closed"


def test_answers_out_of_order_demote_nothing(talk: Conversation, server: ReaderServer) -> None:  # noqa: F811
    with reader(server, MAY_DEMOTE=True):
        _alert, first = alerted(talk)
        _same, second = alerted(talk, "LINEで話したいです。IDは hanako_23 です", 1)
        assert asked(second).outcome == "overruled"
        assert asked(first).outcome == "overruled"

    assert Alert.objects.get().status == "open"
    assert mailing(Alert.objects.get()).due_at <= timezone.now()


def test_a_yes_to_any_question_on_an_alert_outweighs_a_no(talk: Conversation, server: ReaderServer) -> None:  # noqa: F811
    server.says = YES
    with reader(server, MAY_DEMOTE=True):
        _alert, first = alerted(talk)
        _same, second = alerted(talk, "LINEで話したいです。IDは hanako_23 です", 1)
        assert asked(first).outcome == "agreed"
        server.says = NO
        assert asked(second).outcome == "overruled"

    assert Alert.objects.get().status == "open"


def test_a_mail_being_sent_is_not_cancelled(talk: Conversation, server: ReaderServer) -> None:  # noqa: F811
    with reader(server, MAY_DEMOTE=True):
        _alert, row = alerted(talk)
        Notice.objects.update(state="sending", attempts=1)
        assert asked(row).outcome == "overruled"

    assert Alert.objects.get().status == "open"
    assert Notice.objects.exists()


def test_a_promotion_joins_an_alert_opened_meanwhile(
    talk: Conversation,  # noqa: F811
    server: ReaderServer,  # noqa: F811
) -> None:
    server.says = YES
    with reader(server):
        row = notices_something(says(talk, "お店の外でも会いたいです"))
        inspection.inspect(says(talk, ASK, 1))
        row = asked(row)

    assert row.alert == Alert.objects.get()


def test_waiting_questions_end_when_the_reader_is_removed(talk: Conversation, server: ReaderServer) -> None:  # noqa: F811
    with reader(server, MAY_DEMOTE=True):
        alert, row = alerted(talk)
    assert asked(row).error == "off"
    assert mailing(alert).due_at <= timezone.now()


def test_the_notice_is_due_one_sweep_before_the_maximum_delay(talk: Conversation, server: ReaderServer) -> None:  # noqa: F811
    with reader(server, MAY_DEMOTE=True, MAX_DELAY=45):
        alert, _row = alerted(talk)

    waits = mailing(alert).due_at - alert.opened_at
    assert waits <= timedelta(seconds=45 - CONTACT_GUARD_SCHEDULE["contact-guard-sweep"]["schedule"])


def test_a_rescan_asks_no_questions(talk: Conversation, server: ReaderServer) -> None:  # noqa: F811
    with reader(server):
        inspection.inspect(says(talk, ASK), notify=False)

    assert not ReaderAnswer.objects.exists()
