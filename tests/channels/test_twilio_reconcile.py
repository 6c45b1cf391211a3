"""Reconciliation with Twilio's log: missed messages are recovered, others are gaps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from crm_contact_guard.channels import registry
from crm_contact_guard.delivery import attempts
from crm_contact_guard.files.models import Media
from crm_contact_guard.intake.reconciling import Reconciled, reconcile
from crm_contact_guard.record.models import Message
from tests.channels.twilio_server import BROKEN, CUSTOMER, NUMBER, TwilioServer, call_us, payload
from tests.channels.twilio_setup import configure, golden, talk, write

pytestmark = pytest.mark.django_db

DAY = date(2026, 11, 24)
MISSED = "SM" + "9" * 32


@pytest.fixture
def twilio(settings: Any) -> Iterator[TwilioServer]:
    with TwilioServer().running() as server:
        configure(settings, server.url, EMPLOYEE_PHONES={"7": "+818011112222"})
        yield server


def listed(sid: str, **changes: Any) -> dict[str, Any]:
    at = "Tue, 24 Nov 2026 01:00:01 +0000"
    given = {"sid": sid, "direction": "inbound", "from": CUSTOMER, "to": NUMBER, "body": "Missed", "date_sent": at}
    return {**given, "date_created": at, "num_media": "0", "messaging_service_sid": None, **changes}


def compare(alias: str = "sms") -> Reconciled:
    return reconcile(registry.channel(alias), DAY)


def test_a_complete_record_has_no_gaps(twilio: TwilioServer) -> None:
    message = write(talk(), "Your car is here")
    attempts.deliver(message.pk)
    call_us(payload(golden("sms")))
    came = payload(golden("sms"))["MessageSid"]
    sent = twilio.messages[0] | {"date_sent": "Tue, 24 Nov 2026 01:00:01 +0000"}
    twilio.messages = [sent, listed(came)]

    result = compare()
    assert (result.complete, result.carried, result.fetched) == (True, 2, [])


def test_a_message_without_a_webhook_is_recorded_once(
    twilio: TwilioServer,
) -> None:
    known = talk()
    twilio.messages = [listed(MISSED)]

    assert [len(compare().fetched), len(compare().fetched)] == [1, 0]
    call_us({**payload(golden("sms")), "MessageSid": MISSED, "SmsSid": MISSED})

    message = Message.objects.get(direction="inbound")
    assert (message.text, message.conversation, message.carrier_id) == ("Missed", known, MISSED)


def test_a_missed_stop_is_recovered(twilio: TwilioServer) -> None:
    row = talk().customer.addresses.get(kind="phone")
    twilio.messages = [listed(MISSED, body="STOP")]

    assert [compare().complete, len(compare().fetched)] == [True, 0]
    row.refresh_from_db()
    assert row.opted_out_by == "stop"
    assert Message.objects.filter(direction="inbound", text="STOP").count() == 1


def test_media_of_a_missed_message_is_fetched(twilio: TwilioServer) -> None:
    twilio.messages = [listed(MISSED, num_media="1")]
    twilio.media_lists[MISSED] = [("ME" + "1" * 32, "image/jpeg")]
    compare()

    row = Media.objects.get()
    assert row.content_type == "image/jpeg"
    assert row.ref.endswith(f"/Messages/{MISSED}/Media/ME{'1' * 32}")


def test_a_message_sent_outside_the_app_is_a_gap(twilio: TwilioServer) -> None:
    twilio.messages = [listed(MISSED, direction="outbound-api", **{"from": NUMBER, "to": CUSTOMER})]

    result = compare()
    assert [gap.carrier_id for gap in result.gaps] == [MISSED]
    assert not Message.objects.exists()


def test_a_missed_call_event_is_recovered_as_a_note(twilio: TwilioServer) -> None:
    known = talk()
    started = "Tue, 24 Nov 2026 01:00:00 +0000"
    twilio.calls_log = [
        {
            "sid": "CA1",
            "parent_call_sid": None,
            "direction": "inbound",
            "from": CUSTOMER,
            "to": NUMBER,
            "status": "completed",
            "duration": "61",
            "start_time": started,
            "date_created": started,
        }
    ]

    assert [len(compare("phone").fetched), len(compare("phone").fetched)] == [1, 0]
    assert Message.objects.get(kind="call").conversation == known


def test_an_unreadable_carrier_log_is_reported(twilio: TwilioServer) -> None:
    twilio.failures.append(BROKEN)

    assert compare().error
