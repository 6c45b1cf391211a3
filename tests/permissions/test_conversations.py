"""Who may read, answer, start and link: everybody by every conversation, so that a gap shows."""

from __future__ import annotations

import pytest

from crm_contact_guard import permissions
from crm_contact_guard.directory.models import Customer, Team
from crm_contact_guard.record.models import Conversation
from tests.permissions.conftest import HERE, PEOPLE, House, alert, customer, noticed, says, talk

pytestmark = pytest.mark.django_db


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


def test_what_another_tenant_holds_is_nobodys_here_even_where_it_names_them(house: House) -> None:
    """Nothing makes such rows; were there one, it would be a mistake that must not open a door."""
    aoi = house.people["aoi"]
    strays = [talk(aoi, house.desk, tenant="elsewhere"), talk(None, house.desk, tenant="elsewhere")]
    raised = [alert(row) for row in strays]
    found = [noticed(row, says(row)) for row in strays]
    owned = customer(owner=aoi, team=house.desk, tenant="elsewhere")

    for name, one in house.people.items():
        if one.tenant == "elsewhere":
            continue
        assert not permissions.conversations(one).filter(pk__in=[row.pk for row in strays]).exists(), name
        assert not any(permissions.may_write(one, row) for row in strays), name
        assert not permissions.alerts(one).filter(pk__in=[row.pk for row in raised]).exists(), name
        assert not permissions.findings(one).filter(pk__in=[row.pk for row in found]).exists(), name
        assert not permissions.messages(one).filter(conversation__in=strays).exists(), name
        assert not permissions.startable(one).filter(pk=owned.pk).exists(), name
        assert not permissions.may_start(one, owned), name
        assert not permissions.may_identify_as(one, owned), name


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

    may = {
        key: house.who(lambda one, row=row: permissions.may_identify_customer(one, row))
        for key, row in strangers.items()
    }

    assert may == {
        "aois": {"aoi", "chief", "vice", "compliance"},
        "desks": {"aoi", "ken", "chief", "vice", "compliance"},
        "nobodys": {"compliance"},
    }


def test_whom_the_crm_knows_is_not_linked_to_somebody_else(house: House) -> None:
    assert house.who(lambda one: permissions.may_identify_customer(one, house.talks["aois"])) == set()


def test_to_whom_a_stranger_may_be_linked(house: House) -> None:
    teams, foreign = customer(team=house.desk), customer(tenant="elsewhere")

    def linkers(one: Customer) -> set[str]:
        return house.who(lambda employee: permissions.may_identify_as(employee, one))

    assert linkers(teams) == {"aoi", "ken", "chief", "vice", "compliance"}
    assert linkers(foreign) == {"far"}
    assert linkers(customer(owner=house.people["ren"])) == {"ren", "compliance"}
    assert linkers(customer(team=house.desk, active=False)) == set()
    stranger = customer(team=house.desk)
    stranger.key = None
    assert linkers(stranger) == set()


def test_an_auditor_who_heads_a_team_says_of_nobody_who_they_are(house: House) -> None:
    auditor = house.people["auditor"]
    Team.objects.filter(pk=house.desk.pk).update(supervisor=auditor)
    stranger = talk(house.people["aoi"], house.desk)
    Customer.objects.filter(pk=stranger.customer_id).update(key=None)
    stranger.customer.refresh_from_db()

    assert permissions.conversations(auditor).filter(pk=stranger.pk).exists()
    assert not permissions.may_identify_customer(auditor, stranger)
