"""The page of figures: of the viewer's teams and a period, with links to the rows behind the numbers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from crm_contact_guard.directory.models import Employee, Team
from crm_contact_guard.exceptions import NotPermitted
from crm_contact_guard.figures import keeping
from crm_contact_guard.figures.showing import figures, period
from crm_contact_guard.supervision.alerts import NewFinding, Verdict, alert_raise
from crm_contact_guard.supervision.models import Alert
from tests import factories
from tests.console.conftest import Hotel, alert_for, says


def test_a_supervisor_sees_the_figures_of_own_teams_and_nothing_per_person_of_a_small_one(hotel: Hotel) -> None:
    alert = alert_for(hotel.talk, says(hotel.talk, "My LINE is hanako_22"), 11, 20)
    Alert.objects.filter(pk=alert.pk).update(times=3, declined=2)
    alert_for(hotel.other, says(hotel.other, "Call me"), 0, 4)
    late = factories.recorded(
        hotel.talk, "Good night", direction="outbound", occurred_at=timezone.now(), employee_id=hotel.people["aoi"].pk
    )
    found = NewFinding(message=late, kind="after_hours", start=0, end=4, score=1.0, detector="hours", version="2")
    verdict = Verdict(topic="after_hours", by="employee", stance="none", at=late, findings=[found])
    alert_raise(conversation=hotel.talk, verdict=verdict, notify=False)
    keeping.update_all()
    chief, boss, officer = (hotel.people[name] for name in ("chief", "boss", "compliance"))
    first, last = period()

    mine = figures(viewer=chief, first=first, last=last)
    assert mine.counts["alert"] == {"contact_identifier": 1, "after_hours": 1}
    assert mine.counts["answer"] == {"5m": 1}
    assert mine.counts["after_first"] == {"customer": 1}
    assert sum(map(sum, mine.late)) == 1
    assert mine.ageing == [2, 0, 0, 0, 0]
    assert [(one.customer.name, one.times, one.declined) for one in mine.pressers] == [("Hanako Sato", 3, 2)]
    assert mine.loads is None, "four people are too few"
    assert figures(viewer=boss, first=first, last=last).counts["alert"] == {"contact_identifier": 1}
    whole = figures(viewer=officer, first=first, last=last)
    assert sum(number for _team, number in whole.by_team) == 3
    assert whole.loads is not None
    desk = Team.objects.get(name="Front desk")
    assert figures(viewer=officer, first=first, last=last, team=desk).counts == mine.counts
    before = first - timedelta(days=99)
    assert not figures(viewer=chief, first=before, last=before).counts
    for person, team in ((boss, desk), (hotel.people["aoi"], None)):
        with pytest.raises(NotPermitted):
            figures(viewer=person, first=first, last=last, team=team)

    text = hotel.get("chief", "figures").content.decode()
    assert "kind=contact_identifier" in text
    assert f"since={first.isoformat()}" in text
    assert "customer wrote first" in text
    assert "broken down per person" in text
    for name in Employee.objects.filter(name__in=["Aoi", "Ken"]).values_list("name", flat=True):
        assert name not in text.split("<main")[-1], "no employee is named"
    assert "left out" in hotel.get("boss", "figures", query=f"?team={desk.pk}").content.decode()
    assert "left out" in hotel.get("boss", "figures", query="?since=yesterday").content.decode()
