"""Phone calls by Twilio: order of calls, call log, and confidentiality of numbers."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import CallEvent, CallOutcome, PhoneCall
from crm_contact_guard.conversations import calls
from crm_contact_guard.exceptions import ChannelError
from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.record.recording import record_event
from tests.channels.twilio_server import ACCOUNT, CUSTOMER, NUMBER, TOO_FAST, TwilioServer, call_us, payload
from tests.channels.twilio_setup import PUBLIC, configure, golden, talk

pytestmark = pytest.mark.django_db

EMPLOYEE = "+818011112222"
DESK = "+81312345678"
PARENT = "CA00000000000000000000000000000001"
ASKED = "0192f0c1-0000-7000-8000-00000000c411"


@pytest.fixture
def twilio(settings: Any) -> Iterator[TwilioServer]:
    with TwilioServer().running() as server:
        configure(settings, server.url, EMPLOYEE_PHONES={"7": EMPLOYEE, "9": "+15005550001"}, FORWARD_TO=DESK)
        yield server


def come(name: str, **more: Any) -> Any:
    return call_us(payload(golden(name)), alias="phone", **more)


def asked(**changes: Any) -> PhoneCall:
    given = {"call_id": ASKED, "to_address": "090-1234-5678", "employee_key": "7", "employee_name": "Aoi"}
    return PhoneCall(**{**given, **changes})


def details() -> dict[str, Any]:
    return json.loads(Message.objects.get(kind="call").details or "{}")


# --- click to call


def test_the_employee_is_called_first_and_both_see_the_company_number(twilio: TwilioServer) -> None:
    receipt = registry.channel("phone").call(asked())

    placed = twilio.placed[0]
    assert receipt.carrier_id == PARENT
    assert (placed["To"], placed["From"]) == ([EMPLOYEE], [NUMBER])
    dial = ET.fromstring(placed["Twiml"][0]).find("Dial")
    assert dial is not None
    assert dial.get("callerId") == NUMBER
    number = dial.find("Number")
    assert number is not None
    assert number.text == CUSTOMER
    assert number.get("statusCallback") == f"{PUBLIC}/guard/webhooks/phone/?call={ASKED}"


def test_urls_do_not_contain_phone_numbers(twilio: TwilioServer) -> None:
    registry.channel("phone").call(asked())

    placed = twilio.placed[0]
    callbacks = placed["StatusCallback"][0] + placed["Twiml"][0].split("statusCallback=")[1].split('"')[1]
    assert "9012345678" not in callbacks
    assert all("9012345678" not in call.path for call in twilio.calls)
    assert "9012345678" not in repr(asked())


def test_the_employee_s_phone_can_come_from_a_function(twilio: TwilioServer, settings: Any) -> None:
    configure(settings, twilio.url, EMPLOYEE_PHONES="tests.channels.test_twilio_voice.telephone")
    registry.channel("phone").call(asked(employee_key="42"))

    assert twilio.placed[0]["To"] == ["+818011112242"]


def telephone(key: str) -> str:
    return f"+8180111122{key}"


@pytest.mark.parametrize("changes", [{"employee_key": "8"}, {"to_address": "at the desk"}, {"employee_key": "9"}])
def test_a_call_that_can_not_be_placed_is_a_permanent_error(changes: dict[str, str], twilio: TwilioServer) -> None:
    with pytest.raises(ChannelError) as caught:
        registry.channel("phone").call(asked(**changes))

    assert caught.value.permanent


def test_no_call_is_placed_without_a_callback_url(twilio: TwilioServer, settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "PUBLIC_URL": ""}
    with pytest.raises(ChannelError) as caught:
        registry.channel("phone").call(asked())

    assert caught.value.permanent
    assert not twilio.placed


def test_a_busy_carrier_is_a_temporary_error(twilio: TwilioServer) -> None:
    twilio.failures.append(TOO_FAST)
    with pytest.raises(ChannelError) as caught:
        registry.channel("phone").call(asked())

    assert (caught.value.permanent, caught.value.retry_after) == (False, 7)


# --- the log


def test_a_call_to_a_customer_becomes_a_note_with_its_length(twilio: TwilioServer) -> None:
    known = talk()
    assert come("call_out_completed", query=f"call={ASKED}").status_code == 200

    note = Message.objects.get(kind="call")
    assert (note.conversation, note.direction, note.carrier_id) == (known, "note", PARENT)
    assert note.occurred_at == datetime(2026, 11, 24, 1, 8, 0, tzinfo=UTC)
    assert (details()["seconds"], details()["outcome"], details()["inbound"]) == (125, "answered", False)


def test_a_call_to_a_busy_customer_is_recorded(twilio: TwilioServer) -> None:
    talk()
    come("call_out_busy", query=f"call={ASKED}")

    assert (details()["seconds"], details()["outcome"]) == (0, "busy")


def test_the_leg_to_the_employee_is_recorded_only_if_it_failed(twilio: TwilioServer) -> None:
    talk()
    query = f"call={ASKED}&leg=employee"
    come("call_out_completed", query=f"call={ASKED}")
    come("call_employee_completed", query=query)

    assert details()["outcome"] == "answered"


def test_a_call_not_answered_by_the_employee_failed(twilio: TwilioServer) -> None:
    known = talk()
    record_event(kind=calls.ASKED, subject_type="call", subject_id=ASKED, actor_type="employee", conversation=known)
    come("call_employee_no_answer", query=f"call={ASKED}&leg=employee")

    note = Message.objects.get(kind="call")
    assert (note.conversation, details()["outcome"], details()["seconds"]) == (known, "failed", 0)
    assert EMPLOYEE not in json.dumps(details())
    assert not note.to_address


def test_a_customer_s_call_is_forwarded_with_the_company_number(twilio: TwilioServer) -> None:
    answer = come("call_in_ringing")

    assert answer["Content-Type"] == "text/xml"
    dial = ET.fromstring(answer.content).find("Dial")
    assert dial is not None
    assert (dial.get("callerId"), dial.get("action")) == (NUMBER, f"{PUBLIC}/guard/webhooks/phone/")
    assert [number.text for number in dial] == [DESK]
    assert CUSTOMER.encode() not in answer.content
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("name", "outcome", "seconds"), [("call_in_answered", "answered", 184), ("call_in_missed", "missed", 0)]
)
def test_the_forwarded_leg_decides_the_outcome(name: str, outcome: str, seconds: int, twilio: TwilioServer) -> None:
    known = talk()
    for each in ("call_in_ringing", "call_in_completed", name, "call_in_completed", name):
        assert come(each).status_code == 200

    note = Message.objects.get(kind="call")
    assert (note.conversation, note.from_address) == (known, CUSTOMER)
    assert (details()["outcome"], details()["seconds"], details()["inbound"]) == (outcome, seconds, True)


def test_without_forwarding_the_call_s_own_status_counts(settings: Any) -> None:
    configure(settings, EMPLOYEE_PHONES={"7": EMPLOYEE})
    answer = come("call_in_completed")

    assert answer.content.endswith(b"<Response/>")
    assert details()["seconds"] == 197
    assert Message.objects.get().occurred_at == datetime(2026, 11, 24, 1, 1, 43, tzinfo=UTC)


def test_other_requests_are_recorded_as_unknown(twilio: TwilioServer) -> None:
    come("call_recording")

    assert Event.objects.filter(kind="carrier.unknown").count() == 1


def test_a_phone_line_can_not_send_text(twilio: TwilioServer) -> None:
    with pytest.raises(ChannelError):
        registry.channel("phone").send(None)  # type: ignore[arg-type]


# --- log


def row(sid: str, **changes: Any) -> dict[str, Any]:
    given = {
        "sid": sid,
        "account_sid": ACCOUNT,
        "parent_call_sid": None,
        "direction": "inbound",
        "from": CUSTOMER,
        "to": NUMBER,
        "status": "completed",
        "duration": "60",
        "start_time": "Tue, 24 Nov 2026 01:00:00 +0000",
        "date_created": "Tue, 24 Nov 2026 01:00:00 +0000",
    }
    return {**given, **changes}


def test_each_call_of_a_day_is_listed_once_with_its_leg_s_outcome(twilio: TwilioServer) -> None:
    back = {"from": NUMBER, "to": CUSTOMER}
    twilio.calls_log = [
        row("CA1"),
        row("CA1d", parent_call_sid="CA1", direction="outbound-dial", status="no-answer", duration="0", to=DESK),
        row("CA2", direction="outbound-api", **{"from": NUMBER, "to": EMPLOYEE}, duration="90"),
        row("CA2d", parent_call_sid="CA2", direction="outbound-dial", **back),
        row("CA3", direction="outbound-api", **{"from": NUMBER, "to": EMPLOYEE}, status="no-answer"),
        row("CA4"),
        row("CA5", to="+815099999999"),
        row("CA6", status="in-progress"),
    ]
    carried = list(registry.channel("phone").carried(date(2026, 11, 24)))

    events = [one.event for one in carried]
    assert all(isinstance(event, CallEvent) for event in events)
    outcomes = [(e.carrier_id, e.inbound, e.address, e.outcome, e.seconds) for e in events if isinstance(e, CallEvent)]
    assert outcomes == [
        ("CA1", True, CUSTOMER, CallOutcome.MISSED, 0),
        ("CA2", False, CUSTOMER, CallOutcome.ANSWERED, 60),
        ("CA4", True, CUSTOMER, CallOutcome.MISSED, 0),
    ]
    assert "StartTime=2026-11-24&" in twilio.calls[0].path
