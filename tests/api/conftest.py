"""A small hotel: a team with its people, a stranger's team, and a talk with an alert in each."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from crm_contact_guard import crm
from crm_contact_guard.channels.base import FileIn
from crm_contact_guard.directory.mirror_people import mirror_employee, mirror_teams
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.record.models import Conversation, Message
from crm_contact_guard.supervision.alerts import NewFinding, Verdict, alert_raise
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.tokens import issuing as tokens
from tests import factories
from tests.api.validating import validate
from tests.host.models import Branch

# It takes minutes, and a library that only ``make schema-cases`` installs.
collect_ignore = [] if "CONTACT_GUARD_SCHEMA_CASES" in os.environ else ["test_schemathesis.py"]
API = "/guard/api/v1/"
ASK = "LINE交換しませんか？ID: hanako_22"
ALWAYS = {"mon-sun": "00:00-24:00"}


@dataclass
class Hotel:
    """Employees by name; ``talk`` is Aoi's, ``other_talk`` Ren's of the other team, ``chief_talk`` the supervisor's."""

    people: dict[str, Employee]
    talk: Conversation
    other_talk: Conversation
    chief_talk: Conversation
    clients: dict[str, Client] = field(default_factory=dict)

    def client(self, name: str) -> Client:
        """A browser logged in as this person; "nobody" is not logged in, "visitor" has no part in the app."""
        if name not in self.clients:
            self.clients[name] = Client()
            if name != "nobody":
                person = self.people.get(name)
                self.clients[name].force_login(person.user if person else factories.user(name, job="visitor"))
        return self.clients[name]

    def call(self, name: str, method: str, path: str, data: Any = None, **headers: str) -> HttpResponse:
        """A request to ``path`` below the API's root. The answer must be as described."""
        body = {} if data is None else {"data": data, "content_type": "application/json"}
        response: HttpResponse = (
            self.client(name).generic(method, API + path, headers=headers)
            if not body
            else getattr(self.client(name), method.lower())(API + path, headers=headers, **body)
        )
        validate(response, method)
        return response


def says(conversation: Conversation, text: str = ASK, **more: Any) -> Message:
    """A customer's message, with an alert when it is the usual attempt; whether that is found is not asked here."""
    message = factories.received(text, conversation, **more)
    if text == ASK:
        seen = {"message": message, "score": 0.97, "detector": "test", "version": "1"}
        findings = [
            NewFinding(kind="contact_request", start=0, end=9, **seen),
            NewFinding(kind="contact_identifier", start=16, end=25, **seen),
        ]
        verdict = Verdict(topic="off_channel", by="customer", stance="ask", at=message, findings=findings)
        assert alert_raise(conversation=conversation, verdict=verdict) is not None
    return message


def bearer(person: Employee) -> dict[str, str]:
    """Headers with a new token of this person."""
    return {"Authorization": f"Bearer {tokens.token_create(employee=person, name='test').text}"}


@pytest.fixture
def hotel(db: None) -> Hotel:
    front, spa = (Branch.objects.create(title=title) for title in ("Front desk", "Spa"))
    users = {
        "aoi": factories.user("aoi", branch=front, hours=ALWAYS),
        "mei": factories.user("mei", branch=front, hours=ALWAYS),
        "ren": factories.user("ren", branch=spa, hours=ALWAYS),
        "sora": factories.user("sora", job="chief", branch=front),
        "yui": factories.user("yui", job="chief", branch=front),
        "hina": factories.user("hina", job="chief", branch=spa),
        "kai": factories.user("kai", job="compliance"),
        "rio": factories.user("rio", job="auditor"),
    }
    front.head, front.deputy_head, spa.head = users["sora"], users["yui"], users["hina"]
    front.save()
    spa.save()
    mirror_teams()
    # Mirrored one by one and not at first sight, which would look at all teams again each time.
    records = {name: crm.adapter().employee(user) for name, user in users.items()}
    people = {name: mirror_employee(record) for name, record in records.items() if record is not None}
    talk = factories.conversation(people["aoi"], email="hanako@example.com")
    hotel = Hotel(
        people=people,
        talk=talk,
        other_talk=factories.conversation(people["ren"], name="Taro Ito"),
        chief_talk=factories.conversation(people["sora"], name="Jiro Abe"),
    )
    kept = (
        FileIn(name="original.eml", content_type="message/rfc822", content=b"From: h@a.example", kind="original"),
        FileIn(name="passport.png", content_type="image/png", content=b"\x89PNG\r\n\x1a\n..."),
    )
    says(hotel.talk, files=kept)
    for each in (hotel.other_talk, hotel.chief_talk):
        says(each)
    assert Alert.objects.count() == 3
    return hotel
