"""Who sees, closes and erases what a finding led to; nobody what concerns them."""

from __future__ import annotations

import pytest

from crm_contact_guard import permissions
from crm_contact_guard.directory.models import Role
from crm_contact_guard.supervision.models import Alert, Finding
from tests.permissions.conftest import HERE, House, alert, noticed, says, talk

pytestmark = pytest.mark.django_db


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


def test_a_talk_that_was_handed_on_hides_what_it_led_to_from_whom_it_concerned(house: House) -> None:
    row = talk(house.people["chief"], house.desk)
    found = Finding.objects.get(alert=alert(row))
    row.employee = house.people["aoi"]
    row.save()

    assert house.who(lambda one: permissions.findings(one).filter(pk=found.pk).exists()) == {
        "vice", "compliance", "auditor",
    }  # fmt: skip


def test_a_supervisor_reads_nothing_noticed_that_has_become_an_alert_about_them(house: House) -> None:
    row = talk(house.people["chief"], house.desk)
    found = Finding.objects.get(alert=alert(row))

    assert house.who(lambda one: permissions.findings(one).filter(pk=found.pk).exists()) == {
        "vice", "compliance", "auditor",
    }  # fmt: skip


def test_who_left_reads_nothing_that_was_noticed(house: House) -> None:
    found = noticed(house.talks["aois"], says(house.talks["aois"]))
    raised = Finding.objects.get(alert=alert(house.talks["aois"], topic="harassment"))
    for name in ("chief", "compliance"):
        house.people[name].active = False
        assert not permissions.findings(house.people[name]).filter(pk__in=[found.pk, raised.pk]).exists()
