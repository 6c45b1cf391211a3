"""Who receives an alert: never the person it is about, nobody who has left, nobody of another tenant."""

from __future__ import annotations

import pytest

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.supervision.routing import addressee
from tests import factories

pytestmark = pytest.mark.django_db

OFFICERS = ["Mio", "Rin"]
PEOPLE = {"sora": "Sora", "yui": "Yui", "mio": "Mio", "rin": "Rin"}


@pytest.fixture
def talk() -> Conversation:
    """Of Aoi, in a team of Sora and her deputy Yui; Mio and Rin are compliance officers."""
    made = factories.conversation(factories.employee("aoi", branch=factories.team(head="sora", deputy="yui")))
    for name in ("mio", "rin"):
        factories.employee(name, job="compliance")
    return made


def received(talk: Conversation, *, left: str = "", of: str = "", elsewhere: str = "", team: bool = True) -> str | None:
    """Who receives an alert when these people have left, the conversation is one of theirs, or has no team."""
    for name in left.split():
        Employee.objects.filter(name=PEOPLE[name]).update(active=False)
    for name in elsewhere.split():
        Employee.objects.filter(name=PEOPLE[name]).update(tenant="elsewhere")
    if of:
        talk.employee = Employee.objects.get(name=PEOPLE[of])
    if not team:
        talk.team = None
        if talk.employee is not None:
            talk.employee.teams.clear()
        talk.customer.team = None
    if talk.team is not None:
        talk.team.refresh_from_db()
    person = addressee(talk)
    return None if person is None else person.name


def test_the_teams_supervisor_then_the_deputy(talk: Conversation) -> None:
    assert received(talk) == "Sora"
    assert received(talk, of="yui") == "Sora"
    assert received(talk, of="sora") == "Yui"


@pytest.mark.parametrize(
    ("left", "of", "receives"),
    [
        ("sora", "", "Yui"),
        ("yui", "sora", {"Mio", "Rin"}),
        ("sora", "yui", {"Mio", "Rin"}),
        ("sora yui", "", {"Mio", "Rin"}),
    ],
)
def test_who_left_receives_nothing(talk: Conversation, left: str, of: str, receives: str | set[str]) -> None:
    found = received(talk, left=left, of=of)

    assert found in ({receives} if isinstance(receives, str) else receives)


def test_without_a_team_it_is_compliance(talk: Conversation) -> None:
    assert received(talk, team=False) in OFFICERS
    assert received(talk, team=False, of="mio") == "Rin"
    assert received(talk, team=False, of="rin") == "Mio"
    assert received(talk, team=False, left="rin", of="mio") is None


def test_a_conversation_older_than_its_team_goes_to_the_employees_team_of_today(talk: Conversation) -> None:
    talk.team = None

    assert received(talk) == "Sora"


def test_another_tenants_compliance_officer_receives_nothing(talk: Conversation) -> None:
    assert received(talk, team=False, elsewhere="mio") == "Rin"
    assert received(talk, team=False, elsewhere="rin") is None


def test_a_team_without_anybody_is_compliances(talk: Conversation) -> None:
    assert talk.team is not None
    type(talk.team).objects.update(supervisor=None, deputy=None)

    assert received(talk) in OFFICERS
