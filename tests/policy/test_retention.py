"""Which messages may be erased: by their age to the second, by rule, and never before the company has confirmed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.policy import retention
from crm_contact_guard.privacy import holds
from crm_contact_guard.privacy.erasing import erase_messages
from crm_contact_guard.record.models import Conversation, Message
from crm_contact_guard.record.recording import record_message
from tests import factories

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)
#: As ``docs/presets.md`` tells them, with their sources.
YEARS = {
    "sec_17a_4": 3, "finra_4511": 6, "fca_sysc_10a": 5, "mifid_ii": 5, "jp_fiea": 10, "jp_medical": 5, "jp_care": 5,
    "jp_labour": 5, "jp_general": 10,
}  # fmt: skip


@pytest.fixture
def talk() -> Conversation:
    return factories.conversation(factories.employee("aoi"))


def said(talk: Conversation, at: datetime, *, channel: str = "chat", direction: str = "inbound") -> Message:
    return record_message(
        conversation=talk, direction=direction, channel=channel, occurred_at=at, text="x", kind="message"
    )


def expired(settings: Any, now: datetime = NOW, **given: Any) -> dict[str, set[Message]]:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "RETENTION": {"CONFIRMED": True, **given}}
    return {rule.name: set(messages) for rule, messages in retention.expired(now)}


def test_every_presets_years_are_tested() -> None:
    assert set(YEARS) == set(retention.PRESETS)


@pytest.mark.parametrize("preset", YEARS)
def test_a_message_is_kept_until_its_years_are_over(talk: Conversation, settings: Any, preset: str) -> None:
    end = NOW.replace(year=NOW.year - YEARS[preset])
    old, _kept, _new = said(talk, end - SECOND), said(talk, end), said(talk, NOW)

    assert expired(settings, PRESET=preset) == {preset: {old}}


def test_a_leap_day_counts_as_the_day_before(talk: Conversation, settings: Any) -> None:
    """On 29 February 2028, three years back there is only 28 February 2025."""
    old, _kept = (said(talk, datetime(2025, 2, 28, tzinfo=UTC) + by) for by in (-SECOND, timedelta(0)))

    found = expired(settings, now=datetime(2028, 2, 29, tzinfo=UTC), RULES=[{"years": 3}])

    assert found == {"all: 3 years": {old}}


def test_each_message_is_the_first_matching_rules_alone(talk: Conversation, settings: Any) -> None:
    old = NOW.replace(year=2020) - SECOND
    said(talk, old, channel="email")
    chat = said(talk, old)
    sent = said(talk, old, direction="outbound")
    said(talk, NOW - timedelta(days=400), channel="email")

    found = expired(
        settings,
        RULES=[{"channel": "email", "years": 7}, {"direction": "outbound", "channel": "chat", "years": 1}],
        PRESET="sec_17a_4",
    )

    assert found == {"channel email: 7 years": set(), "channel chat, direction outbound: 1 years": {sent},
                     "sec_17a_4": {chat}}  # fmt: skip


def test_nothing_after_a_rule_for_everything_is_asked(talk: Conversation, settings: Any) -> None:
    said(talk, NOW - timedelta(days=800))

    found = expired(settings, RULES=[{"years": 9}, {"channel": "chat", "years": 1}], PRESET="sec_17a_4")

    assert found == {"all: 9 years": set()}


def test_what_is_erased_or_held_is_not_counted_again(talk: Conversation, settings: Any) -> None:
    held = factories.conversation(factories.employee("ren"), name="Emma Wright")
    erased = said(talk, NOW - timedelta(days=800))
    said(held, NOW - timedelta(days=800))
    holds.hold_place(name="Wright v. Kaede", reason="claim", placed_by=None, customer=held.customer)
    erase_messages(Message.objects.filter(pk=erased.pk), basis="request")

    assert expired(settings, RULES=[{"years": 1}]) == {"all: 1 years": set()}


@pytest.mark.parametrize("confirmed", [False, None, "yes", 1])
def test_nothing_expires_before_the_company_confirms(talk: Conversation, settings: Any, confirmed: Any) -> None:
    said(talk, NOW - timedelta(days=8000))

    assert expired(settings, RULES=[{"years": 1}], PRESET="sec_17a_4", CONFIRMED=confirmed) == {}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"PRESET": "sec17"}, r"\['PRESET'\]|\"PRESET\".*'sec17'; known: fca_sysc_10a, finra"),
        ({"PRESET": ""}, "PRESET"),
        ({"RULES": [{"years": 3}, {"years": 0}]}, "entry 2: years must be a whole number from 1"),
        ({"RULES": [{"years": 1.5}]}, "entry 1: years"),
        ({"RULES": [{"years": "3"}]}, "entry 1: years"),
        ({"RULES": [{"channel": "chat"}]}, "entry 1: years"),
        (
            {"RULES": [{"chanel": "chat", "years": 3}]},
            "1: unknown chanel; known: channel, direction, kind, years",
        ),
    ],
)
def test_an_invalid_rule_is_reported_with_its_entry_even_unconfirmed(
    settings: Any, given: dict[str, Any], words: str
) -> None:
    for confirmed in (True, False):
        with pytest.raises(ConfigurationError, match=words):
            expired(settings, **given, CONFIRMED=confirmed)
