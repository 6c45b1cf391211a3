"""A desk with a supervisor, a deputy and a compliance officer, at a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from crm_contact_guard import gateway, tasks
from crm_contact_guard.channels.memory import MemoryChannel
from crm_contact_guard.delivery.models import Wait
from crm_contact_guard.directory.mirror import employee_for
from crm_contact_guard.directory.mirror_people import mirror_teams
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.verification.whole_record import verify
from tests import factories
from tests.clock import Clock

WEEK = {"mon-fri": "09:00-18:00"}


@dataclass
class Desk:
    """``aoi`` answers ``talk``; ``chief`` supervises her, ``vice`` is the deputy, ``boss`` supervises another team."""

    people: dict[str, Employee]
    talk: Conversation
    clock: Clock

    def send(self, text: str = "Your room is ready.", **more: Any) -> gateway.Sent:
        given = {"actor": self.people["aoi"], "conversation": self.talk, "text": text, "channel": "memory", **more}
        return gateway.send(**given)

    def says(self, text: str = "Hello?", **more: Any) -> Message:
        return factories.received(text, self.talk, channel="memory", **{"occurred_at": self.clock.now, **more})

    def later(self, seconds: float) -> None:
        """Let time pass; then the sweep runs."""
        self.clock.forward(seconds)
        tasks.sweep()

    def wait(self, sent: gateway.Sent) -> Wait:
        assert sent.message is not None
        return Wait.objects.get(pk=sent.message.pk)

    @property
    def handed_over(self) -> list[str]:
        """The texts that the carrier got."""
        return [message.text for message in MemoryChannel.sent]


def steps(message: Message | None) -> list[str]:
    """The events about a message's way, oldest first."""
    events = Event.objects.filter(message=message, kind__startswith="delivery.").order_by("recorded_at", "id")
    return [kind.removeprefix("delivery.") for kind in events.values_list("kind", flat=True)]


def faults() -> list[str]:
    return [str(fault) for fault in verify().faults]


@pytest.fixture
def configure(settings: Any) -> Callable[..., None]:
    """Set keys of ``CONTACT_GUARD``."""

    def set_keys(**keys: Any) -> None:
        settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, **keys}

    return set_keys


@pytest.fixture
def desk(db: None, clock: Clock, configure: Callable[..., None], settings: Any) -> Desk:
    channels = {
        **settings.CONTACT_GUARD["CHANNELS"],
        "memory": {"BACKEND": "crm_contact_guard.channels.memory.MemoryChannel"},
    }
    configure(CHANNELS=channels, TASKS="inline", UNDO_SECONDS=5)
    front = factories.team("Front desk", head="chief", deputy="vice")
    factories.team("Hall", head="boss")
    made = {name: factories.user(name, branch=front, hours=WEEK) for name in ("aoi", "ken")}
    made |= {name: factories.user(name, job=name) for name in ("compliance", "auditor")}
    mirror_teams()
    found = {name: employee_for(user) for name, user in made.items()}
    people = {name: person for name, person in found.items() if person is not None}
    people |= {person.name.lower(): person for person in Employee.objects.all()}
    return Desk(people=people, talk=factories.conversation(people["aoi"], channel="memory"), clock=clock)
