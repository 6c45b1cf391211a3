"""Retries: number of attempts, delays, and the rows of a worker that died."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, NoReturn

import django
import pytest
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

from crm_contact_guard.channels.base import FileIn, MediaRef, OutboundMessage, Receipt
from crm_contact_guard.channels.memory import MemoryChannel
from crm_contact_guard.delivery import attempts, outbox
from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.exceptions import ChannelError
from crm_contact_guard.files import media
from crm_contact_guard.files.models import Media
from crm_contact_guard.hosting.retrying import Retry
from crm_contact_guard.notices import outbox as notices
from crm_contact_guard.notices.models import EMAIL, Notice
from crm_contact_guard.supervision.alerts import NewFinding, Verdict, alert_raise
from tests import factories
from tests.clock import Clock

pytestmark = pytest.mark.django_db

HERE = "tests.hosting.test_retrying"
MINUTE, HOUR = 60, 3600
MOMENT = factories.office_time()


class Refusing(MemoryChannel, BaseEmailBackend):
    """A carrier and e-mail backend whose calls raise ``error``; SystemExit stands for a process that dies."""

    error: ClassVar[BaseException]

    def __init__(self, *given: Any, **options: Any) -> None:
        if given:
            MemoryChannel.__init__(self, *given, **options)
        else:
            BaseEmailBackend.__init__(self, **options)

    def send(self, message: OutboundMessage) -> Receipt:
        raise self.error

    def fetch(self, media: MediaRef) -> FileIn:
        raise self.error

    def send_messages(self, email_messages: object) -> NoReturn:
        raise self.error


@dataclass
class Work:
    """A row that a worker claims. ``due``: the time of the next attempt; None if there is none.

    ``waits`` and ``lease`` are in seconds.
    """

    waits: tuple[int, ...]
    lease: int
    attempt: Callable[[], object]
    due: Callable[[], datetime | None]
    is_free: Callable[[], bool]


def a_message() -> Work:
    talk = factories.conversation(factories.employee("aoi"), channel="memory")
    message = factories.recorded(talk, "Hello", direction="outbound", channel="memory", occurred_at=timezone.now())
    outbox.enqueue(message)
    rows = Delivery.objects.filter(message=message)
    return Work(
        waits=(10, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR),
        lease=MINUTE,
        attempt=lambda: attempts.deliver(message.pk),
        due=lambda: rows.get().due_at,
        is_free=lambda: outbox.due(timezone.now()) == [message.pk],
    )


def a_warning() -> Work:
    clerk = factories.employee("aoi", branch=factories.team(head="sora"))
    talk = factories.conversation(clerk)
    said = factories.recorded(talk, "Your LINE?", occurred_at=timezone.now())
    finding = NewFinding(message=said, kind="contact_request", start=0, end=4, score=0.9, detector="test", version="1")
    verdict = Verdict(topic="off_channel", by="customer", stance="ask", at=said, findings=[finding])
    alert = alert_raise(conversation=talk, verdict=verdict)
    assert alert is not None
    notice = Notice.objects.get(way=EMAIL)
    rows = Notice.objects.filter(pk=notice.pk)
    return Work(
        waits=(30, 2 * MINUTE, 10 * MINUTE, HOUR),
        lease=MINUTE,
        attempt=lambda: notices.notice_send(notice.pk),
        due=lambda: rows.get().due_at,
        is_free=lambda: notices.due() == [notice.pk],
    )


def a_file() -> Work:
    talk = factories.conversation(factories.employee("aoi"), channel="memory")
    message = factories.recorded(talk, "A picture", channel="memory", occurred_at=timezone.now())
    [pk] = media.expect(message, [MediaRef(ref="1")])
    rows = Media.objects.filter(pk=pk)
    return Work(
        waits=(10, MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, 24 * HOUR),
        lease=5 * MINUTE,
        attempt=lambda: media.fetch(pk),
        due=lambda: rows.values_list("due_at", flat=True).first(),
        is_free=lambda: media.due(timezone.now()) == [pk],
    )


@pytest.fixture(params=[a_message, a_warning, a_file])
def work(request: pytest.FixtureRequest, settings: Any, clock: Clock) -> Work:
    factories.add_channels(settings, {"memory": {"BACKEND": f"{HERE}.Refusing"}})
    if django.VERSION >= (6, 1):
        settings.MAILERS = {"default": {"BACKEND": f"{HERE}.Refusing"}}
    else:
        settings.EMAIL_BACKEND = f"{HERE}.Refusing"
    Refusing.error = ChannelError("not now", permanent=False)
    made: Work = request.param()
    return made


def test_failed_work_is_retried_after_each_delay_and_then_no_more(work: Work, clock: Clock) -> None:
    for wait in work.waits:
        assert work.is_free()
        work.attempt()
        assert work.due() == clock.now + timedelta(seconds=wait)
        clock.forward(wait - 1)
        assert not work.is_free()
        clock.forward(1)

    assert work.is_free()
    work.attempt()
    assert work.due() is None
    clock.forward(timedelta(days=30))
    assert not work.is_free()


def test_the_row_of_a_dead_worker_is_free_after_its_lease(work: Work, clock: Clock) -> None:
    Refusing.error = SystemExit("killed")
    with pytest.raises(SystemExit):
        work.attempt()

    assert not work.is_free()
    clock.forward(work.lease - 1)
    assert not work.is_free()
    clock.forward(2)
    assert work.is_free()


@pytest.mark.parametrize("retry", [outbox.retry(), notices.RETRY, media.RETRY])
@pytest.mark.parametrize("asked", [None, 0.0, -5.0, 1.0, 3600.0, 1e6, float("inf"), float("nan")])
def test_no_retry_after_moves_a_delay_out_of_bounds(retry: Retry, asked: float | None) -> None:
    for tried, own in enumerate(retry.waits, start=1):
        due = retry.again_at(tried, MOMENT, retry_after=asked)
        assert due is not None
        assert timedelta(seconds=own) <= due - MOMENT <= timedelta(seconds=max(retry.waits))
    assert retry.again_at(retry.tries, MOMENT, retry_after=asked) is None
    assert retry.again_at(retry.tries + 1, MOMENT, retry_after=asked) is None


def test_a_retry_after_within_the_bounds_is_honoured() -> None:
    retry = Retry(waits=(10, 60), lease=timedelta(seconds=5))

    assert retry.again_at(1, MOMENT, retry_after=45) == MOMENT + timedelta(seconds=45)
    assert retry.again_at(2, MOMENT, retry_after=45) == MOMENT + timedelta(seconds=60)
    assert retry.lease_until(MOMENT) == MOMENT + timedelta(seconds=5)


def test_the_lease_of_a_delivery_is_a_setting(settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "DELIVERY_LEASE_SECONDS": 7}

    assert outbox.retry().lease == timedelta(seconds=7)
