"""A house of two teams, with everybody a rule knows, and a talk of each kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from crm_contact_guard.directory.models import Customer, Employee, Role, Team
from crm_contact_guard.record.models import Conversation, Message
from crm_contact_guard.supervision.alerts import NewFinding, Verdict, alert_raise
from crm_contact_guard.supervision.models import Alert, Finding, Tier
from crm_contact_guard.supervision.noticing import notice
from tests import factories

#: ``gone`` left the desk, ``idle`` was its compliance officer; ``far`` and ``eye`` work for another tenant.
PEOPLE = ("aoi", "ken", "ren", "chief", "vice", "boss", "compliance", "auditor", "gone", "idle", "far", "eye")
#: What there is to see in their own tenant.
HERE = {"aois", "rens", "desks", "nobodys", "gones"}


@dataclass
class House:
    """``aoi`` and ``ken`` of the desk under ``chief`` and ``vice``, ``ren`` of the hall under ``boss``."""

    people: dict[str, Employee]
    desk: Team
    hall: Team
    talks: dict[str, Conversation]

    def who(self, rule: Callable[[Employee], object]) -> set[str]:
        """Those for whom the rule holds."""
        return {name for name, person in self.people.items() if rule(person)}

    def named(self, rows: QuerySet[Conversation]) -> set[str]:
        keys = set(rows.values_list("pk", flat=True))
        return {name for name, talk in self.talks.items() if talk.pk in keys}


def person(name: str, role: str = Role.EMPLOYEE, *teams: Team, tenant: str = "", active: bool = True) -> Employee:
    made = Employee.objects.create(name=name, key=name, role=role, tenant=tenant, active=active)
    made.teams.set(teams)
    return made


@pytest.fixture
def house(db: None) -> House:
    desk, hall = (Team.objects.create(key=name, name=name) for name in ("desk", "hall"))
    people = {
        "aoi": person("aoi", Role.EMPLOYEE, desk),
        "ken": person("ken", Role.EMPLOYEE, desk),
        "ren": person("ren", Role.EMPLOYEE, hall),
        "chief": person("chief", Role.SUPERVISOR),
        "vice": person("vice", Role.SUPERVISOR),
        "boss": person("boss", Role.SUPERVISOR),
        "compliance": person("compliance", Role.COMPLIANCE),
        "auditor": person("auditor", Role.AUDITOR, desk),
        "gone": person("gone", Role.EMPLOYEE, desk, active=False),
        "idle": person("idle", Role.COMPLIANCE, active=False),
        "far": person("far", Role.COMPLIANCE, tenant="elsewhere"),
        "eye": person("eye", Role.AUDITOR, tenant="elsewhere"),
    }
    Team.objects.filter(pk=desk.pk).update(supervisor=people["chief"], deputy=people["vice"])
    Team.objects.filter(pk=hall.pk).update(supervisor=people["boss"])
    assert tuple(people) == PEOPLE
    return House(
        people=people,
        desk=desk,
        hall=hall,
        talks={
            "aois": talk(people["aoi"], desk),
            "rens": talk(people["ren"], hall),
            "desks": talk(None, desk),
            "nobodys": talk(None, None),
            "gones": talk(people["gone"], desk),
            "fars": talk(None, None, tenant="elsewhere"),
        },
    )


def customer(name: str = "Hanako", *, tenant: str = "", **more: object) -> Customer:
    return Customer.objects.create(name=name, key=uuid4().hex, tenant=tenant, **more)


def talk(
    employee: Employee | None, team: Team | None, *, tenant: str = "", with_: Customer | None = None
) -> Conversation:
    return Conversation.objects.create(
        customer=with_ or customer(tenant=tenant), employee=employee, team=team, tenant=tenant, channel="chat",
        reply_token=uuid4().hex, created_at=timezone.now(),
    )  # fmt: skip


def says(conversation: Conversation, *, employee: Employee | None = None) -> Message:
    return factories.recorded(
        conversation,
        "Hello",
        direction="inbound" if employee is None else "outbound",
        employee_id=None if employee is None else employee.pk,
    )


def verdict(message: Message, **more: object) -> Verdict:
    finding = NewFinding(
        message=message, kind="contact_request", start=0, end=4, score=0.9, detector="test", version="1"
    )
    told = {"topic": "off_channel", "by": "customer", "stance": "ask", **more}
    return Verdict(at=message, findings=[finding], **told)  # type: ignore[arg-type]


def alert(conversation: Conversation, **more: object) -> Alert:
    raised = alert_raise(conversation=conversation, verdict=verdict(says(conversation), **more), notify=False)
    assert raised is not None
    return raised


def noticed(conversation: Conversation, message: Message) -> Finding:
    [found] = notice(conversation=conversation, verdict=verdict(message, tier=Tier.NOTICED))
    return found
