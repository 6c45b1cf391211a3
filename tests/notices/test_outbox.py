"""What becomes of a notice: sent once, retried, told to somebody when it fails, dropped when it is settled."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import django
import pytest
from django.utils import translation

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.notices import outbox
from crm_contact_guard.notices.models import Notice
from crm_contact_guard.notices.telling import tell
from tests import factories
from tests.clock import Clock
from tests.notices.conftest import AFTERNOON, Subjects, notify, verified

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _afternoon(clock: Clock, subjects: Subjects, by_default: None) -> None:
    clock.now = AFTERNOON


def mailed(sora: Employee, subject: object = 1, topic: str = "fire") -> Notice:
    tell(topic=topic, subject=("thing", subject), people=[sora])
    return Notice.objects.get(way="email", subject_id=str(subject))


def broken(settings: Any) -> None:
    if django.VERSION >= (6, 1):
        settings.MAILERS = {"default": {"BACKEND": f"{__name__}.Broken"}}
    else:
        settings.EMAIL_BACKEND = f"{__name__}.Broken"


class Broken:
    """A mail back end that fails with many words."""

    def __init__(self, *_given: Any, **_options: Any) -> None:
        pass

    def send_messages(self, _messages: object) -> int:
        raise RuntimeError("no route " * 100)


def test_the_mail_goes_once_to_its_person_in_their_language(sora: Employee, clock: Clock, mailoutbox: Any) -> None:
    notice = mailed(sora)

    with translation.override("en"):
        assert outbox.notice_send(notice.pk)
        assert not outbox.notice_send(notice.pk)

    [mail] = mailoutbox
    assert (mail.to, mail.subject) == (["sora@kaede.example"], "[Hotel Kaede] Sora: 1 waits")
    assert "http://testserver/things/1/" in mail.body
    assert "Key: 1" in mail.body
    assert "詳細の確認と対応はこちら" in mail.body
    assert mail.extra_headers == {
        "Message-ID": f"<notice-{notice.pk}-{sora.pk}@contact-guard.invalid>",
        "Auto-Submitted": "auto-generated",
    }
    notice.refresh_from_db()
    assert (notice.state, notice.due_at, notice.lease_until, notice.last_error) == ("sent", None, None, "")
    assert (notice.sent_at, notice.attempts) == (clock.now, 1)
    assert not verified()


def test_a_digest_lists_who_what_and_since_with_links(sora: Employee, clock: Clock, mailoutbox: Any) -> None:
    for number in range(25):
        tell(topic="thing", subject=("thing", number), people=[sora])
    assert outbox.due() == []
    clock.forward(timedelta(hours=19))

    assert [outbox.notice_send(key) for key in outbox.due()] == [True]

    [mail] = mailoutbox
    assert mail.subject == "[Hotel Kaede] 確認待ちが25件あります"
    assert "Things: 25" in mail.body
    assert mail.body.count("http://testserver/things/") == 20
    assert "他5件" in mail.body
    assert "2026/11/26 14:00" in mail.body  # in the person's time zone

    tell(topic="thing", subject=("thing", 99), people=[sora])
    assert Notice.objects.filter(topic="digest").count() == 2
    assert not verified()


def test_what_is_settled_meanwhile_is_not_sent(
    sora: Employee, clock: Clock, subjects: Subjects, mailoutbox: Any
) -> None:
    notice = mailed(sora)
    for number in (2, 3):
        tell(topic="thing", subject=("thing", number), people=[sora])
    subjects.settled |= {"1", "2"}
    clock.forward(timedelta(hours=19))
    assert [outbox.notice_send(key) for key in outbox.due()] == [False, True]

    [mail] = mailoutbox
    assert mail.subject == "[Hotel Kaede] 確認待ちが1件あります"
    assert "Sora: 3 waits" in mail.body
    notice.refresh_from_db()
    assert notice.state == "dropped"
    assert not verified()


def test_a_broken_mail_system_is_named_and_tried_again(sora: Employee, clock: Clock, settings: Any) -> None:
    notice = mailed(sora)
    broken(settings)

    assert not outbox.notice_send(notice.pk)

    notice.refresh_from_db()
    assert (notice.state, notice.lease_until, notice.due_at) == ("queued", None, clock.now + timedelta(seconds=30))
    assert notice.last_error == ("RuntimeError: " + "no route " * 100)[:500]
    assert notice.sent_at is None


def test_a_final_failure_is_told_once_to_the_person_and_to_compliance(
    sora: Employee, clock: Clock, settings: Any, mailoutbox: Any
) -> None:
    kai = factories.employee("kai", job="compliance")
    factories.employee("riku")
    notice = mailed(sora)
    broken(settings)
    for _try in range(outbox.RETRY.tries):
        outbox.notice_send(notice.pk)
        clock.forward(3600)

    notice.refresh_from_db()
    assert notice.state == "failed"
    told = Notice.objects.filter(topic="notice_failed")
    assert {(row.employee, row.way) for row in told} == {(sora, "in_app"), (kai, "in_app")}

    assert outbox.failed_renew() == 1
    notice.refresh_from_db()
    assert (notice.state, notice.due_at) == ("queued", clock.now + outbox.AGAIN)
    clock.forward(outbox.AGAIN)
    outbox.notice_send(notice.pk)
    assert told.count() == 2
    assert not verified()


def test_somebody_without_an_address_is_mailed_once_they_have_one(sora: Employee, mailoutbox: Any) -> None:
    Employee.objects.update(email="")
    notice = mailed(sora)
    assert not outbox.notice_send(notice.pk)
    notice.refresh_from_db()
    assert (notice.state, notice.last_error, notice.due_at) == ("failed", "no e-mail address", None)
    assert outbox.failed_renew() == 0

    Employee.objects.filter(pk=sora.pk).update(email="sora@kaede.example")
    assert outbox.failed_renew() == 1
    assert outbox.notice_send(notice.pk)
    assert len(mailoutbox) == 1


def test_a_failed_notice_is_dropped_when_it_is_settled(sora: Employee, subjects: Subjects) -> None:
    Employee.objects.update(email="")
    notice = mailed(sora)
    outbox.notice_send(notice.pk)
    subjects.settled.add("1")
    assert outbox.failed_renew() == 0
    notice.refresh_from_db()
    assert notice.state == "dropped"


def test_a_worker_that_died_is_followed_by_another(sora: Employee, clock: Clock, mailoutbox: Any) -> None:
    notice = mailed(sora)
    Notice.objects.filter(pk=notice.pk).update(
        state="sending", attempts=1, lease_until=clock.now + timedelta(seconds=60)
    )
    assert outbox.due() == []
    clock.forward(61)
    assert outbox.due() == [notice.pk]
    assert outbox.notice_send(notice.pk)
    assert len(mailoutbox) == 1


def test_failures_wait_while_mail_is_switched_off(sora: Employee) -> None:
    Employee.objects.update(email="")
    outbox.notice_send(mailed(sora).pk)
    Employee.objects.update(email="sora@kaede.example")
    with notify(email=False):
        assert outbox.failed_renew() == 0
    assert outbox.failed_renew() == 1
