"""Many processes tell and send at the same moment: each person is told once about each subject."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core import mail
from django.db import OperationalError, connection, connections

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.notices import outbox
from crm_contact_guard.notices.models import Notice
from crm_contact_guard.notices.telling import tell
from tests.notices.conftest import Subjects, notify, verified

pytestmark = pytest.mark.django_db(transaction=True)
SUBJECTS = 12
#: The tests' SQLite is in memory and refuses a second connection instead of letting it wait.
THREADS = 1 if connection.vendor == "sqlite" else 8


def repeated(act: Callable[[], object]) -> None:
    """Do what a sweep does when MariaDB ends a transaction to resolve a deadlock: try again."""
    for _try in range(20):
        try:
            act()
        except OperationalError:
            continue
        return
    raise AssertionError("the database refused every attempt")


def test_everybody_is_told_once_whoever_tells_and_sends(sora: Employee, subjects: Subjects) -> None:
    kai = Employee.objects.get(name="Aoi")

    def act(number: int) -> None:
        try:
            people = [sora, kai] if number % 2 else [kai, sora]
            topic = "fire" if number % 4 < 2 else "thing"
            repeated(lambda: tell(topic=topic, subject=("thing", number // 4 % SUBJECTS), people=people))
            for key in outbox.due():
                repeated(lambda key=key: outbox.notice_send(key))  # type: ignore[misc]
        finally:
            connections.close_all()

    with notify(email=True), ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(act, range(SUBJECTS * 12)))
        for key in outbox.due():
            outbox.notice_send(key)

    mine: Any = Notice.objects.filter(employee=sora)
    assert mine.filter(topic="fire", way="in_app").count() == SUBJECTS
    assert mine.filter(topic="thing", way="in_app").count() == SUBJECTS
    assert mine.filter(topic="fire", way="email", state="sent").count() == SUBJECTS
    assert mine.filter(topic="digest").count() == 1
    assert mine.get(topic="digest").items.count() == SUBJECTS
    sent = [message.extra_headers["Message-ID"] for message in mail.outbox]
    assert len(sent) == len(set(sent)) == 2 * SUBJECTS
    assert not verified()
