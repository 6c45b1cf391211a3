"""Hostile mails in a real mailbox: each is recorded once, and none holds up the good mail behind it.

``make fuzz`` puts 10,000 there, and holds each to 2 s and 200 MB.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import current_app

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.email import EmailChannel
from crm_contact_guard.intake.mail_polling import Polled, poll
from crm_contact_guard.record.models import Message
from tests.fuzz.doors import ASKED_FOR, SEED, Costs, empty_storage
from tests.fuzz.mails import KNOWN, mails
from tests.services.dovecot import PASSWORD, USER, Dovecot

NUMBER = ASKED_FOR or len(KNOWN) + 20
GOOD = b"From: Hanako <hanako-%d@mail.example>\r\nMessage-ID: <good-%d@mail.example>\r\n\r\ngood %d\r\n"


@pytest.fixture
def dovecot() -> Iterator[Dovecot]:
    # Not pytest's folder, whose parents Dovecot's user may not enter.
    folder = Path(tempfile.mkdtemp(prefix="dovecot-"))
    running = Dovecot(folder)
    running.start()
    try:
        yield running
    finally:
        running.stop()
        shutil.rmtree(folder)


@pytest.fixture
def email(dovecot: Dovecot, settings: Any, monkeypatch: pytest.MonkeyPatch) -> EmailChannel:
    channels = settings.CONTACT_GUARD["CHANNELS"]
    imap = {"HOST": "127.0.0.1", "PORT": dovecot.port, "USER": USER, "PASSWORD": PASSWORD, "TLS": False}
    own = {**channels["email"], "OPTIONS": {**channels["email"]["OPTIONS"], "IMAP": imap}}
    # Inspection comes later, in a worker.
    changes = {"TASKS": "celery", "CHANNELS": {**channels, "email": own}}
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, **changes}
    monkeypatch.setattr(current_app.conf, "broker_url", "memory://")
    found = registry.channel("email")
    assert isinstance(found, EmailChannel)
    return found


@pytest.mark.django_db(transaction=True)
def test_no_mail_holds_up_those_behind_it(dovecot: Dovecot, email: EmailChannel) -> None:
    costs = Costs()
    for number, raw in enumerate(mails(SEED + 1_000, NUMBER)):
        # Dovecot's APPEND takes no NUL.
        dovecot.put(raw.replace(b"\0", b"0"), GOOD % ((number,) * 3))
        with costs.of(f"mail {number} ({len(raw)} bytes)"):
            polled = poll(email)
        # A delivery report on a mail that nobody sent changes nothing.
        assert polled in (Polled(recorded=2), Polled(recorded=1, known=1)), f"mail {number}: {polled}"
        if number % 100 == 99:
            empty_storage()
            print(f"IMAP: {costs}", flush=True)
    print(f"IMAP: {costs}")
    assert Message.objects.filter(text__startswith="good ").count() == NUMBER
    assert poll(email) == Polled()
    assert not (ASKED_FOR and costs.over), "\n".join(costs.over)
