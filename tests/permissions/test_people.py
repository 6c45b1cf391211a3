"""Who is who, and what each may look at as such: the record, its events, who read it, a subject's requests."""

from __future__ import annotations

import pytest

from crm_contact_guard import permissions
from crm_contact_guard.directory.models import Employee, Team
from crm_contact_guard.exceptions import NotPermitted
from crm_contact_guard.record.models import Conversation, Event
from crm_contact_guard.record.recording import record_event
from tests import factories
from tests.permissions.conftest import PEOPLE, House, alert, customer, talk

pytestmark = pytest.mark.django_db


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


# --- the record as such


def event(kind: str, conversation: Conversation | None = None, *, tenant: str = "") -> Event:
    return record_event(
        kind=kind, subject_type="test", subject_id="1", actor_type="system", conversation=conversation, tenant=tenant
    )


def test_who_reads_which_event(house: House) -> None:
    happened = {key: event("test.happened", row) for key, row in house.talks.items()} | {
        "of no talk": event("test.happened"), "of none there": event("test.happened", tenant="elsewhere"),
    }  # fmt: skip

    for name, one in house.people.items():
        rows = set(permissions.events(one).values_list("pk", flat=True))
        expected = house.named(permissions.conversations(one))
        if permissions.may_read_record(one):
            expected = expected | {"of no talk" if one.tenant == "" else "of none there"}
        assert {key for key, row in happened.items() if row.pk in rows} == expected, name


def test_who_reads_who_read(house: House) -> None:
    kinds = ("view.content", "export.streamed", "alert.closed", "preview.view.")
    rows = {kind: event(kind, house.talks["aois"]) for kind in kinds}
    rows |= {"of no talk": event("export.made"), "elsewhere": event("view.content", house.talks["fars"])}

    read = {
        name: {key for key, row in rows.items() if permissions.access_log(one).filter(pk=row.pk).exists()}
        for name, one in house.people.items()
    }
    here = {"view.content", "export.streamed", "of no talk"}
    assert read == {name: set() for name in PEOPLE} | {
        "compliance": here, "auditor": here, "far": {"elsewhere"}, "eye": {"elsewhere"},
    }  # fmt: skip


def test_whom_an_alert_concerns_does_not_read_who_looked_at_it(house: House) -> None:
    own = talk(house.people["compliance"], house.desk)
    looked, other = event("view.content", own), event("view.content", house.talks["aois"])
    alert(own)

    seen = {
        name: set(permissions.access_log(house.people[name]).filter(pk__in=[looked.pk, other.pk]))
        for name in ("compliance", "auditor")
    }
    assert seen == {"compliance": {other}, "auditor": {looked, other}}


# --- subjects


def test_whose_requests_may_be_looked_at(house: House) -> None:
    here, foreign = customer(), customer(tenant="elsewhere")

    assert house.who(lambda one: permissions.subjects(one).filter(pk=here.pk).exists()) == {"compliance", "auditor"}
    assert house.who(lambda one: permissions.subjects(one).filter(pk=foreign.pk).exists()) == {"far", "eye"}
