"""Working time, and what is flagged about the caller, in the API."""

from __future__ import annotations

import pytest
from django.utils import timezone

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.own_view.models import FlagRemark
from crm_contact_guard.supervision.own_view.remarks import contest_answer
from tests.api.conftest import Hotel

pytestmark = pytest.mark.django_db


def test_working_time_of_those_whose_hours_one_may_see(hotel: Hotel) -> None:
    def listed(who: str, query: str = "") -> dict[str, str]:
        rows = hotel.call(who, "GET", f"hours/{query}").json()["results"]
        return {row["employee"]["name"].lower(): row["state"] for row in rows}

    Employee.objects.filter(pk=hotel.people["mei"].pk).update(working_hours={"mon-sun": ""}, calendar={})
    assert listed("aoi") == {"aoi": "working"}
    seen = listed("sora")
    assert (seen["aoi"], seen["mei"]) == ("working", "off")
    assert "ren" not in seen
    team = hotel.talk.team_id
    assert set(listed("kai", f"?team={team}")) < set(listed("kai"))
    assert hotel.call("kai", "GET", "hours/?team=x").status_code == 400

    own = hotel.call("aoi", "GET", f"hours/{hotel.people['aoi'].pk}/").json()
    assert (own["after_hours"], own["next_open_at"], own["today"]["rule"]) == (False, None, "weekly")
    assert len(own["today"]["work"]) == 1
    away = hotel.call("sora", "GET", f"hours/{hotel.people['mei'].pk}/").json()
    assert (away["after_hours"], away["next_open_at"], away["problem"]) == (True, None, "")
    Employee.objects.filter(pk=hotel.people["mei"].pk).update(calendar={"leave": "always"})
    broken = hotel.call("sora", "GET", f"hours/{hotel.people['mei'].pk}/").json()
    assert broken["state"] is None
    assert "leave" in broken["problem"]


def test_what_is_flagged_about_oneself_can_be_read_and_contested(hotel: Hotel) -> None:
    aoi = hotel.people["aoi"]
    alert = Alert.objects.get(concerned=aoi)
    assert hotel.call("aoi", "GET", "me/").json()["flags"] == []
    Alert.objects.filter(pk=alert.pk).update(status="closed", resolution="coaching", closed_at=timezone.now())

    mine = hotel.call("aoi", "GET", "me/")
    assert [flag["id"] for flag in mine.json()["flags"]] == [str(alert.pk)]
    assert mine.json()["employee"]["name"] == aoi.name
    assert hotel.call("sora", "GET", "me/").json()["flags"] == []
    flag = hotel.call("aoi", "GET", f"me/flags/{alert.pk}/").json()
    assert {one["detector"] for one in flag["findings"]} == {"test"}
    assert hotel.call("sora", "GET", f"me/flags/{alert.pk}/").status_code == 404

    path = f"me/flags/{alert.pk}/remarks/"
    said = hotel.call("aoi", "POST", path, {"kind": "contest", "text": "I declined."})
    assert said.status_code == 201
    assert hotel.call("aoi", "POST", path, {"kind": "contest", "text": "Again."}).status_code == 409
    assert hotel.call("aoi", "POST", path, {"kind": "praise", "text": "Me."}).status_code == 400
    contest_answer(
        remark_id=FlagRemark.objects.get().pk, reviewer=hotel.people["sora"], outcome="kept", text="It was said."
    )
    [remark] = hotel.call("aoi", "GET", f"me/flags/{alert.pk}/").json()["remarks"]
    assert (remark["text"], remark["outcome"], remark["answer"]) == ("I declined.", "kept", "It was said.")
