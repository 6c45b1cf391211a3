"""Workers die at random around sending: no notice is lost, and one arrives twice only if its worker died too late."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any, ClassVar

import django
import pytest

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.notices import outbox
from crm_contact_guard.notices.models import Notice
from crm_contact_guard.notices.telling import tell
from tests.clock import Clock
from tests.notices.conftest import AFTERNOON, Subjects, verified

pytestmark = pytest.mark.django_db
DEATHS = 200


class Died(BaseException):
    """The worker's process ended here. As after ``kill -9``, nothing that follows runs."""


class DeadlyBackend:
    """A mail backend in whose process the worker dies, before or after the mail server accepted the email."""

    draw: ClassVar[random.Random]
    arrived: ClassVar[Counter[str]]
    deaths: ClassVar[Counter[str]]

    def __init__(self, *_given: Any, **_options: Any) -> None:
        pass

    clock: ClassVar[Clock]

    def send_messages(self, messages: list[Any]) -> int:
        self.clock.forward(0.01)  # as long as a mail server takes
        may_die = self.deaths.total() < DEATHS and self.draw.random() < 0.6
        moment = self.draw.choice(["before", "after"]) if may_die else ""
        if moment == "before":
            self.deaths["before"] += 1
            raise Died
        for message in messages:
            self.arrived[message.extra_headers["Message-ID"]] += 1
        if moment == "after":
            self.deaths["after"] += 1
            raise Died
        return len(messages)


@pytest.fixture
def deadly(settings: Any, clock: Clock) -> type[DeadlyBackend]:
    DeadlyBackend.clock = clock
    DeadlyBackend.draw, DeadlyBackend.arrived, DeadlyBackend.deaths = random.Random(14), Counter(), Counter()
    name = f"{__name__}.{DeadlyBackend.__name__}"
    if django.VERSION >= (6, 1):
        settings.MAILERS = {"default": {"BACKEND": name}}
    else:
        settings.EMAIL_BACKEND = name
    return DeadlyBackend


def test_no_notice_is_lost_and_none_doubled_beyond_what_a_death_explains(
    sora: Employee, clock: Clock, subjects: Subjects, by_default: None, deadly: type[DeadlyBackend]
) -> None:
    clock.now = AFTERNOON
    for number in range(150):
        tell(topic="fire", subject=("thing", number), people=[sora])
    for _round in range(40):
        for key in outbox.due():
            try:
                outbox.notice_send(key)
            except Died:
                continue  # the next worker goes on
        clock.forward(outbox.RETRY.lease)

    mails = Notice.objects.filter(way="email")
    assert {notice.state for notice in mails} == {"sent"}
    assert deadly.deaths.total() == DEATHS
    assert len(deadly.arrived) == mails.count() == 150
    assert deadly.arrived.total() - 150 == deadly.deaths["after"]
    assert not verified()
