"""Who may see and do what, asked of the rules themselves: everybody by every row, so that a gap shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from crm_contact_guard import permissions
from crm_contact_guard.directory.models import Customer, Employee, Role, Team
from crm_contact_guard.exceptions import NotPermitted
from crm_contact_guard.record.models import Conversation, Message
from crm_contact_guard.record.recording import record_message
from crm_contact_guard.supervision.alerts import NewFinding, Verdict, alert_raise
from crm_contact_guard.supervision.models import Alert, Finding, Tier
from crm_contact_guard.supervision.noticing import notice
from tests import factories

pytestmark = pytest.mark.django_db

#: ``gone`` left the desk, ``idle`` was its compliance officer; ``far`` and ``eye`` work for another tenant.
PEOPLE = ("aoi", "ken", "ren", "chief", "vice", "boss", "compliance", "auditor", "gone", "idle", "far", "eye")


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
def house() -> House:
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
    return record_message(
        conversation=conversation,
        direction="inbound" if employee is None else "outbound",
        channel="chat",
        occurred_at=factories.office_time(),
        text="Hello",
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


# --- who is who


def test_a_login_without_a_part_is_refused() -> None:
    clerk, guest = factories.user("aoi"), factories.user("guest", job="visitor")

    assert permissions.employee_or_refuse(clerk).name == "Aoi"
    with pytest.raises(NotPermitted):
        permissions.employee_or_refuse(guest)


def test_who_sees_all_watches_and_answers_for_subjects(house: House) -> None:
    overseers = {"compliance", "auditor", "far", "eye"}

    assert house.who(permissions.sees_all) == overseers
    assert house.who(permissions.is_supervising) == overseers | {"chief", "vice", "boss"}
    assert house.who(permissions.may_read_record) == overseers
    assert house.who(permissions.may_look_at_subjects) == overseers
    assert house.who(permissions.may_answer_subjects) == {"compliance", "far"}
    assert house.who(permissions.may_unmask) == {"compliance", "far"}


def test_who_left_supervises_nothing_any_more(house: House) -> None:
    Employee.objects.filter(name="chief").update(active=False)
    house.people["chief"].refresh_from_db()

    assert "chief" not in house.who(permissions.is_supervising)


def test_a_team_is_watched_by_its_head_and_deputy_within_the_tenant(house: House) -> None:
    foreign = Team.objects.create(key="foreign", name="foreign", tenant="elsewhere", supervisor=house.people["chief"])

    assert [*permissions.watched_teams(house.people["chief"])] == [house.desk]
    assert [*permissions.watched_teams(house.people["vice"])] == [house.desk]
    assert [*permissions.watched_teams(house.people["boss"])] == [house.hall]
    assert not permissions.watched_teams(house.people["aoi"]).exists()
    assert foreign.supervisor == house.people["chief"]


# --- conversations

HERE = {"aois", "rens", "desks", "nobodys", "gones"}


def test_who_may_read_which_conversation(house: House) -> None:
    seen = {name: house.named(permissions.conversations(one)) for name, one in house.people.items()}

    assert seen == {
        "aoi": {"aois", "desks"},
        "ken": {"desks"},
        "ren": {"rens"},
        "chief": {"aois", "desks", "gones"},
        "vice": {"aois", "desks", "gones"},
        "boss": {"rens"},
        "compliance": HERE,
        "auditor": HERE,
        "gone": set(),
        "idle": set(),
        "far": {"fars"},
        "eye": {"fars"},
    }


def test_who_may_answer_in_which_conversation(house: House) -> None:
    expected = {name: set[str]() for name in PEOPLE} | {"aoi": {"aois", "desks"}, "ken": {"desks"}, "ren": {"rens"}}

    for name, one in house.people.items():
        assert house.named(permissions.own_conversations(one)) == expected[name]
        assert {key for key, row in house.talks.items() if permissions.may_write(one, row)} == expected[name]


def test_an_auditor_answers_nothing_not_even_a_talk_that_was_theirs(house: House) -> None:
    own = talk(house.people["auditor"], house.desk)

    assert not permissions.may_write(house.people["auditor"], own)
    assert permissions.is_party(house.people["auditor"], own)


def test_reading_is_part_of_answering_for_those_who_answer(house: House) -> None:
    parties = {key: house.who(lambda one, row=row: permissions.is_party(one, row)) for key, row in house.talks.items()}

    assert parties == {
        "aois": {"aoi"},
        "rens": {"ren"},
        "desks": {"aoi", "ken"},
        "nobodys": set(),
        "gones": {"gone"},
        "fars": set(),
    }


def test_who_may_read_which_message(house: House) -> None:
    said = {key: says(row) for key, row in house.talks.items()}

    for name, one in house.people.items():
        rows = set(permissions.messages(one).values_list("pk", flat=True))
        expected = house.named(permissions.conversations(one))
        assert {key for key, message in said.items() if message.pk in rows} == expected, name


# --- starting


def test_who_may_open_a_conversation_with_whom(house: House) -> None:
    people = house.people
    owned = customer(owner=people["aoi"], team=house.hall)
    teams = customer(team=house.desk)
    anybodys = customer()
    foreign = customer(tenant="elsewhere")

    def starters(one: Customer) -> set[str]:
        return house.who(lambda employee: permissions.may_start(employee, one))

    staff = {"aoi", "ken", "ren", "chief", "vice", "boss", "compliance"}
    assert starters(owned) == {"aoi", "ren"}
    assert starters(teams) == {"aoi", "ken"}
    assert starters(anybodys) == staff
    assert starters(foreign) == {"far"}
    assert starters(customer(owner=people["ren"])) == {"ren"}


def test_those_one_may_start_with_are_those_without_an_open_talk(house: House) -> None:
    aoi = house.people["aoi"]
    Customer.objects.all().update(active=False)
    rows = {
        "own": customer(owner=aoi),
        "teams": customer(team=house.desk),
        "nobodys": customer(),
        "kens": customer(owner=house.people["ken"]),
        "halls": customer(team=house.hall),
        "kens of no team": customer(owner=house.people["ken"], team=house.hall),
        "foreign": customer(tenant="elsewhere"),
        "gone": customer(owner=aoi, active=False),
        "talking": customer(owner=aoi),
        "over": customer(owner=aoi),
        "kens talk": customer(team=house.desk),
    }
    talk(aoi, house.desk, with_=rows["talking"])
    Conversation.objects.filter(pk=talk(aoi, house.desk, with_=rows["over"]).pk).update(state="closed")
    talk(house.people["ken"], house.desk, with_=rows["kens talk"])

    found = set(permissions.startable(aoi))

    assert {name for name, row in rows.items() if row in found} == {"own", "teams", "nobodys", "over", "kens talk"}
    for name in ("auditor", "gone", "idle"):
        assert not permissions.startable(house.people[name]).exists()


def test_what_may_be_started_is_listed_and_the_other_way_round(house: House) -> None:
    rows = [customer(owner=owner, team=team) for owner in (None, *house.people.values()) for team in (None, house.desk)]

    for name, one in house.people.items():
        listed = set(permissions.startable(one).filter(pk__in=[row.pk for row in rows]))
        assert listed == {row for row in rows if permissions.may_start(one, row)}, name


# --- linking


def test_who_may_say_who_a_stranger_is(house: House) -> None:
    strangers = {
        "aois": talk(house.people["aoi"], house.desk, with_=customer()),
        "desks": talk(None, house.desk, with_=customer()),
        "nobodys": talk(None, None, with_=customer()),
    }
    for row in strangers.values():
        Customer.objects.filter(pk=row.customer_id).update(key=None)
        row.customer.refresh_from_db()

    may = {key: house.who(lambda one, row=row: permissions.may_link(one, row)) for key, row in strangers.items()}

    assert may == {
        "aois": {"aoi", "chief", "vice", "compliance"},
        "desks": {"aoi", "ken", "chief", "vice", "compliance"},
        "nobodys": {"compliance"},
    }


def test_whom_the_crm_knows_is_not_linked_to_somebody_else(house: House) -> None:
    assert house.who(lambda one: permissions.may_link(one, house.talks["aois"])) == set()


def test_to_whom_a_stranger_may_be_linked(house: House) -> None:
    teams, foreign = customer(team=house.desk), customer(tenant="elsewhere")

    def linkers(one: Customer) -> set[str]:
        return house.who(lambda employee: permissions.linkable(employee, one))

    assert linkers(teams) == {"aoi", "ken", "chief", "vice", "compliance"}
    assert linkers(foreign) == {"far"}
    assert linkers(customer(owner=house.people["ren"])) == {"ren", "compliance"}
    assert linkers(customer(team=house.desk, active=False)) == set()
    stranger = customer(team=house.desk)
    stranger.key = None
    assert linkers(stranger) == set()


# --- alerts and findings


def test_who_sees_and_closes_which_alert(house: House) -> None:
    raised = {key: alert(row) for key, row in house.talks.items()}

    seen = {
        name: {key for key, row in raised.items() if permissions.alerts(one).filter(pk=row.pk).exists()}
        for name, one in house.people.items()
    }
    assert seen == {
        "aoi": set(), "ken": set(), "ren": set(), "gone": set(), "idle": set(),
        "chief": {"aois", "desks", "gones"},
        "vice": {"aois", "desks", "gones"},
        "boss": {"rens"},
        "compliance": HERE,
        "auditor": HERE,
        "far": {"fars"},
        "eye": {"fars"},
    }  # fmt: skip
    for name, one in house.people.items():
        may = {key for key, row in raised.items() if permissions.may_review(one, row)}
        assert may == (set() if one.role == Role.AUDITOR else seen[name])


def test_nobody_sees_the_alert_that_concerns_them(house: House) -> None:
    chiefs = alert(talk(house.people["chief"], house.desk))
    officers = alert(talk(house.people["compliance"], house.desk))

    assert house.who(lambda one: permissions.may_review(one, chiefs)) == {"vice", "compliance"}
    assert house.who(lambda one: permissions.may_review(one, officers)) == {"chief", "vice"}


def test_an_alert_is_seen_by_whom_it_is_addressed_to(house: House) -> None:
    raised = alert(house.talks["aois"])
    Alert.objects.filter(pk=raised.pk).update(addressee=house.people["boss"])

    assert permissions.may_review(house.people["boss"], raised)


def test_a_supervisor_who_left_sees_no_alert(house: House) -> None:
    raised = alert(house.talks["aois"])
    house.people["chief"].active = False

    assert not permissions.may_review(house.people["chief"], raised)


def test_who_may_erase_what_an_alert_names(house: House) -> None:
    raised = alert(house.talks["aois"], topic="sensitive_data")
    Alert.objects.filter(pk=raised.pk).update(addressee=house.people["boss"])

    # The boss sees it, since it is addressed to them, but heads another team.
    assert house.who(lambda one: permissions.may_erase(one, raised)) == {"chief", "vice", "compliance"}


def test_who_reads_what_warned_somebody(house: House) -> None:
    found = Finding.objects.get(alert=alert(house.talks["aois"]))

    assert house.who(lambda one: permissions.findings(one).filter(pk=found.pk).exists()) == {
        "chief", "vice", "compliance", "auditor",
    }  # fmt: skip


def noticed(conversation: Conversation, message: Message) -> Finding:
    [found] = notice(conversation=conversation, verdict=verdict(message, tier=Tier.NOTICED))
    return found


def test_who_reads_what_was_only_noticed(house: House) -> None:
    found = {key: noticed(row, says(row)) for key, row in house.talks.items()}

    readers = {
        key: house.who(lambda one, row=row: permissions.findings(one).filter(pk=row.pk).exists())
        for key, row in found.items()
    }
    assert readers == {
        "aois": {"chief", "vice", "compliance", "auditor"},
        "rens": {"boss", "compliance", "auditor"},
        "desks": {"chief", "vice", "compliance", "auditor"},
        "nobodys": {"compliance", "auditor"},
        "gones": {"chief", "vice", "compliance", "auditor"},
        "fars": {"far", "eye"},
    }


def test_what_was_noticed_is_hidden_from_whom_it_concerns(house: House) -> None:
    answered = talk(house.people["chief"], house.desk)
    wrote_once = talk(house.people["aoi"], house.desk)
    says(wrote_once, employee=house.people["vice"])
    found = {key: noticed(row, says(row)) for key, row in (("answered", answered), ("wrote", wrote_once))}

    assert not permissions.findings(house.people["chief"]).filter(pk=found["answered"].pk).exists()
    assert permissions.findings(house.people["vice"]).filter(pk=found["answered"].pk).exists()
    assert not permissions.findings(house.people["vice"]).filter(pk=found["wrote"].pk).exists()
    assert permissions.findings(house.people["chief"]).filter(pk=found["wrote"].pk).exists()


def test_a_supervisor_reads_nothing_noticed_that_has_become_an_alert_about_them(house: House) -> None:
    row = talk(house.people["chief"], house.desk)
    found = Finding.objects.get(alert=alert(row))

    assert house.who(lambda one: permissions.findings(one).filter(pk=found.pk).exists()) == {
        "vice", "compliance", "auditor",
    }  # fmt: skip


# --- subjects


def test_whose_requests_may_be_looked_at(house: House) -> None:
    here, foreign = customer(), customer(tenant="elsewhere")

    assert house.who(lambda one: permissions.subjects(one).filter(pk=here.pk).exists()) == {"compliance", "auditor"}
    assert house.who(lambda one: permissions.subjects(one).filter(pk=foreign.pk).exists()) == {"far", "eye"}
