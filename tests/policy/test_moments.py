"""The time of a message in a conversation of the app: who wrote first, how long ago, and the customer's quiet hours."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.policy import moments, quiet_hours
from crm_contact_guard.policy.working_time import Answer
from crm_contact_guard.record.models import Conversation, Message
from tests import factories
from tests.policy.working_time.minute_engine import WEEKDAYS, Engine

pytestmark = pytest.mark.django_db

TEN_AT_NIGHT = datetime.fromisoformat("2026-11-24T22:00:00+09:00")
NIGHT = {"daily": "21:00-08:00", "days": ["sun"], "holidays": ["JP"]}


@contextmanager
def guard(**values: Any) -> Iterator[None]:
    with override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, **values}):
        yield


@pytest.fixture
def clerk() -> Employee:
    return factories.employee("aoi", zone="Asia/Tokyo", hours={"mon-fri": "09:00-18:00"})


@pytest.fixture
def talk(clerk: Employee) -> Conversation:
    return factories.conversation(clerk)


def said(talk: Conversation, who: str, at: datetime, *, state: str = "") -> Message:
    """A recorded message; ``state``: that of its delivery."""
    direction = {"customer": "inbound", "employee": "outbound", "robot": "outbound"}.get(who, who)
    writer = talk.employee_id if who in ("employee", "customer") else None
    message = factories.recorded(talk, "…", direction=direction, occurred_at=at, employee_id=writer)
    if state:
        Delivery.objects.create(message=message, state=state, updated_at=at)
    return message


def moment(talk: Conversation, at: datetime = TEN_AT_NIGHT, **more: Any) -> Answer:
    assert talk.employee is not None
    return moments.moment_of(talk.employee, at, conversation=talk, **more)


def ago(minutes: float) -> datetime:
    return TEN_AT_NIGHT - timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("earlier", "first_by", "quick"),
    [
        ([], "employee", False),
        ([("customer", 30)], "customer", True),
        ([("customer", 31)], "customer", False),
        ([("customer", 60 * 80)], "customer", False),  # still waits, so this is an answer
        ([("employee", 60 * 80), ("customer", 5)], "customer", True),
        ([("employee", 60), ("customer", 5)], "employee", True),
        ([("customer", 60), ("robot", 50)], "customer", False),
        ([("robot", 60)], "employee", False),
        ([("note", 60)], "employee", False),
    ],
)
def test_who_wrote_first_and_how_long_ago(
    talk: Conversation, earlier: list[tuple[str, int]], first_by: str, quick: bool
) -> None:
    for who, minutes in earlier:
        said(talk, who, ago(minutes))

    found = moment(talk)

    assert (found.first_by, found.quick_answer) == (first_by, quick)


@pytest.mark.parametrize("state", Delivery.State.values)
def test_what_never_went_out_is_no_answer(talk: Conversation, state: str) -> None:
    """The customer wrote on Monday and still waits, or was answered then: what is said now begins another talk."""
    said(talk, "customer", ago(60 * 20))
    said(talk, "employee", ago(60 * 19), state=state)

    went_out = ("queued", "sending", "sent", "delivered", "read", "uncertain")
    assert moment(talk).first_by == ("employee" if state in went_out else "customer")


def test_a_message_is_not_its_own_predecessor(talk: Conversation) -> None:
    said(talk, "customer", ago(60 * 20))
    message = said(talk, "employee", TEN_AT_NIGHT)

    assert moment(talk, besides=message.pk).first_by == "customer"


@pytest.mark.parametrize(
    ("zone", "at", "quiet"),
    [
        ("Asia/Tokyo", "2026-11-24T21:00:00+09:00", True),
        ("Asia/Tokyo", "2026-11-24T20:59:00+09:00", False),
        ("Asia/Tokyo", "2026-11-23T12:00:00+09:00", True),  # a holiday
        ("Asia/Tokyo", "2026-11-22T12:00:00+09:00", True),  # a Sunday
        ("Europe/London", "2026-11-24T21:00:00+09:00", False),  # noon there
        ("", "2026-11-24T21:00:00+09:00", False),
        ("Asia/Atlantis", "2026-11-24T21:00:00+09:00", False),
    ],
)
def test_quiet_hours_run_by_the_customers_clock(talk: Conversation, zone: str, at: str, quiet: bool) -> None:
    talk.customer.timezone = zone

    with guard(QUIET_HOURS=NIGHT):
        assert moment(talk, datetime.fromisoformat(at)).quiet_applies is quiet
        assert moment(talk, datetime.fromisoformat(at), emergency=True).quiet_applies is False
    assert moment(talk, datetime.fromisoformat(at)).customer_quiet is False


def test_both_must_be_reachable_for_the_earliest_time(talk: Conversation) -> None:
    with guard(QUIET_HOURS={"daily": "21:00-10:30"}):
        assert moment(talk).earliest_send_at == datetime.fromisoformat("2026-11-25T10:30:00+09:00")
    with guard(QUIET_HOURS={"daily": "00:00-24:00"}):
        assert moment(talk).earliest_send_at is None


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("21:00-08:00", "must be a dict"),
        ({"nightly": "21:00-08:00"}, "'nightly'] is unknown"),
        ({"daily": "9pm-8am"}, "[\"daily\"]: '9pm-8am'"),
        ({"daily": "21:00-24:30"}, "not a time of day"),
        ({"days": "sun"}, "must be a list"),
        ({"days": ["someday"]}, "'someday' is not a day"),
        ({"holidays": ["XX"]}, "no calendar for 'XX'"),
        ({"holidays": ["japan"]}, "not a code"),
    ],
)
def test_a_bad_setting_is_named_with_its_entry(talk: Conversation, value: Any, says: str) -> None:
    with guard(QUIET_HOURS=value):
        with pytest.raises(ConfigurationError) as raised:
            quiet_hours.check()
        [found] = [message for message in run_checks() if message.id == "crm_contact_guard.E050"]
    assert says in str(raised.value)
    assert says in found.msg


def test_a_long_conversation_costs_two_bounded_queries(talk: Conversation) -> None:
    for minute in range(300):
        said(talk, "customer" if minute % 2 else "employee", ago(300 - minute))

    with CaptureQueriesContext(connection) as asked:
        found = moment(talk)

    assert len(asked) == 2  # calendars and messages
    assert all("LIMIT" in query["sql"] for query in asked if "_message" in query["sql"])
    assert found.minutes_since_customer == 1


def drawn(number: int) -> dict[str, Any]:
    """A conversation around a clock change or in an ordinary week; the same number gives the same one."""
    pick = random.Random(number)
    zones = ("Asia/Tokyo", "Europe/London", "America/New_York", "Australia/Lord_Howe", "America/Santiago")
    start = date.fromisoformat(pick.choice(("2026-03-05", "2026-03-27", "2026-04-02", "2026-07-15", "2026-10-23")))
    sent_at = datetime(start.year, start.month, start.day, tzinfo=UTC) + timedelta(minutes=pick.randrange(5 * 1440))
    customer = {"zone": pick.choice(zones), "quiet": [["21:00", "08:00"], ["02:30", "03:15"]]}
    if pick.random() < 0.4:
        customer |= {"quiet_days": ["sun", "sat"], "quiet_holidays": ["JP", "GB-ENG"]}
    talk, back = [], 0
    for _ in range(pick.randrange(12)):
        back += pick.choice((1, 5, 30, 31, 90, 719, 720, 721, 2000))
        talk.append([pick.choice(("customer", "employee")), (sent_at - timedelta(minutes=back)).isoformat()])
    return {
        "employee": {
            "zone": pick.choice(zones),
            "weekly": {
                day: [["09:00", "17:00"]] if pick.random() < 0.6 else [["22:00", "06:30"]]
                for day in WEEKDAYS
                if day == "wed" or pick.random() < 0.8
            },
            "holidays": pick.choice(([], ["JP"], ["GB-ENG"])),
        },
        "customer": customer if pick.random() < 0.8 else None,
        "talk": talk,
        "sent_at": sent_at.isoformat().replace("+00:00", "Z"),
        "emergency": pick.random() < 0.1,
    }


@pytest.mark.parametrize("number", range(120))
def test_the_app_and_the_second_engine_agree_on_real_conversations(number: int) -> None:
    """The case as the company would have it: hours of the host's employee, holidays and quiet hours in the settings."""
    case = drawn(number)
    engine = Engine(case)
    weekly = {day: ", ".join("-".join(span) for span in spans) for day, spans in case["employee"]["weekly"].items()}
    clerk = factories.employee("aoi", zone=case["employee"]["zone"], hours=weekly)
    talk = factories.conversation(clerk)
    for who, at in case["talk"]:
        said(talk, who, datetime.fromisoformat(at))
    theirs = case["customer"] or {"zone": "", "quiet": []}
    talk.customer.timezone = theirs["zone"]
    quiet = {
        "daily": ", ".join("-".join(span) for span in theirs["quiet"]),
        "days": theirs.get("quiet_days", []),
        "holidays": theirs.get("quiet_holidays", []),
    }

    with guard(HOLIDAYS=case["employee"]["holidays"], QUIET_HOURS=quiet):
        found = moment(talk, datetime.fromisoformat(case["sent_at"]), emergency=case["emergency"])

    expected = engine.answer()
    for name, value in expected.items():
        told = getattr(found, name)
        if isinstance(told, datetime):
            told = told.astimezone(UTC).isoformat().replace("+00:00", "Z")
        if name.endswith("_at") and min(told or "none", str(value or "none")) > engine.end:
            continue
        assert told == value, name
