"""A hotel with two teams, seen through the pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from crm_contact_guard import crm
from crm_contact_guard.directory.mirror_people import mirror_employee, mirror_teams
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.record.models import Conversation, Message
from crm_contact_guard.supervision.alerts import NewFinding, Verdict, alert_raise
from crm_contact_guard.supervision.models import Alert
from tests import factories
from tests.host.models import Branch

ALWAYS = {"mon-sun": "00:00-24:00"}
ASK = "LINE交換しませんか？ID: hanako_22"


@dataclass
class Hotel:
    """``aoi`` and ``ken`` of the front desk under ``chief`` (deputy ``vice``), ``ren`` of the hall under ``boss``."""

    people: dict[str, Employee]
    talk: Conversation
    other: Conversation
    browsers: dict[str, Client] = field(default_factory=dict)

    def browser(self, name: str) -> Client:
        """Signed in as this person; "nobody" is not, and "visitor" has no role."""
        if name not in self.browsers:
            self.browsers[name] = Client(headers={"accept-language": "en"})
            if name == "visitor":
                self.browsers[name].force_login(factories.user("visitor", job="visitor"))
            elif name != "nobody":
                self.browsers[name].force_login(self.people[name].user)
        return self.browsers[name]

    def get(self, who: str, page: str, *args: Any, query: str = "", **more: Any) -> HttpResponse:
        return self.browser(who).get(url(page, *args) + query, **more)

    def post(self, who: str, page: str, *args: Any, data: dict[str, Any] | None = None, **more: Any) -> HttpResponse:
        return self.browser(who).post(url(page, *args), data or {}, **more)

    def send(self, who: str = "aoi", text: str = "Your room is ready.", **form: Any) -> HttpResponse:
        data = {"text": text, "channel": "chat", "key": uuid4().hex, **form}
        return self.post(who, "conversation_send", self.talk.pk, data=data)


def url(page: str, *args: Any) -> str:
    return reverse(f"crm_contact_guard:{page}", args=args)


def says(conversation: Conversation, text: str, **more: Any) -> Message:
    """A customer's message in the web chat."""
    return factories.received(text, conversation, **{"occurred_at": timezone.now(), **more})


def alert_for(conversation: Conversation, message: Message, start: int = 0, end: int = 0) -> Alert:
    """An alert with evidence at these code points; what the detectors find is tested elsewhere."""
    finding = NewFinding(
        message=message,
        kind="contact_identifier",
        start=start,
        end=end,
        score=0.9,
        detector="handle",
        version="1",
    )
    alert = alert_raise(
        conversation=conversation,
        verdict=Verdict(topic="off_channel", by="customer", stance="ask", at=message, findings=[finding]),
    )
    assert alert is not None
    return alert


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Whatever language a test before this one has left active in the thread."""
    with translation.override("en"):
        yield


@pytest.fixture
def hotel(db: None) -> Hotel:
    desk, hall = (Branch.objects.create(title=title) for title in ("Front desk", "Hall"))
    made = {name: factories.user(name, job="chief", branch=desk) for name in ("chief", "vice")}
    made["boss"] = factories.user("boss", job="chief", branch=hall)
    desk.head, desk.deputy_head, hall.head = made["chief"], made["vice"], made["boss"]
    desk.save()
    hall.save()
    made |= {name: factories.user(name, branch=desk, hours=ALWAYS) for name in ("aoi", "ken")}
    made["ren"] = factories.user("ren", branch=hall, hours=ALWAYS)
    made |= {name: factories.user(name, job=name) for name in ("compliance", "auditor")}
    mirror_teams()
    # Mirrored one by one and not at first sight, which would look at all teams again each time.
    records = {name: crm.adapter().employee(user) for name, user in made.items()}
    people = {name: mirror_employee(record) for name, record in records.items() if record is not None}
    return Hotel(
        people=people,
        talk=factories.conversation(people["aoi"], name="Hanako Sato"),
        other=factories.conversation(people["ren"], name="Robert King"),
    )
