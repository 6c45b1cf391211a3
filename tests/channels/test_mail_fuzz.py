"""Hostile mails by SMTP: each is recorded once, with what arrived, and a good mail behind it arrives.

``make fuzz`` sends 10,000 and holds each to 2 s and 200 MB.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from celery import current_app

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.email import EmailChannel
from crm_contact_guard.conversations.models import CarrierEventId
from crm_contact_guard.files.models import Attachment
from crm_contact_guard.intake.mail_server import controller
from crm_contact_guard.record.models import Message
from tests.fuzz.doors import ASKED_FOR, SEED, Client, Costs, empty_storage
from tests.fuzz.mails import KNOWN, mails
from tests.ports import free_port

NUMBER = ASKED_FOR or len(KNOWN) + 60
GOOD = b"From: Hanako <hanako-%d@mail.example>\r\nMessage-ID: <good-%d@mail.example>\r\n\r\ngood %d\r\n"


@pytest.fixture
def client(transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    # Inspection comes later, in a worker.
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "TASKS": "celery"}
    monkeypatch.setattr(current_app.conf, "broker_url", "memory://")
    channel = registry.channel("email")
    assert isinstance(channel, EmailChannel)
    server = controller(channel, host="127.0.0.1", port=free_port())
    server.start()
    try:
        found = Client(int(server.port))
        yield found
        found.close()
    finally:
        server.stop()


def test_every_mail_is_recorded_once_and_holds_up_no_other(client: Client) -> None:
    costs = Costs()
    for number, raw in enumerate(mails(SEED, NUMBER)):
        events = CarrierEventId.objects.count()
        with costs.of(f"mail {number} ({len(raw)} bytes)"):
            reply = client.send(raw)
        assert reply.startswith("250"), f"mail {number}: {reply}"
        originals = Attachment.objects.filter(kind="original", sha256=hashlib.sha256(raw).hexdigest())
        # A delivery report becomes statuses.
        assert originals.count() == 1 or (b"report" in raw and not originals), f"mail {number}"
        assert CarrierEventId.objects.count() > events, f"mail {number}: {reply}"

        assert client.send(GOOD % ((number,) * 3)).startswith("250 2.0.0 Recorded"), f"behind mail {number}"
        if number % 100 == 99:
            empty_storage()
            print(f"SMTP: {costs}", flush=True)
    print(f"SMTP: {costs}")
    assert Message.objects.filter(text__startswith="good ").count() == NUMBER
    assert not (ASKED_FOR and costs.over), "\n".join(costs.over)


def test_senders_and_recipients_in_any_bytes(client: Client) -> None:
    for sender in (b"", b"\xff@x", b"\xe3\x81@x.example", b"a" * 300 + b"@x.example", b"(((@x", b'"\\"@x', b"x\0@y"):
        client.send(GOOD % (1, 1, 1) + sender + b"\r\n", sender)

    assert client.send(GOOD % (2, 2, 2)).startswith("250 2.0.0 Recorded")
