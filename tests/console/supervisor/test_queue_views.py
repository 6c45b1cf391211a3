"""Views of the queue that a person keeps: their counts, the one that opens first, and what isn't possible."""

from __future__ import annotations

import re

import pytest
from django.http import HttpResponse

from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.queue_views.keeping import MOST, queue_view_keep
from crm_contact_guard.supervision.queue_views.models import QueueView
from tests.console.conftest import Hotel, alert_for, says, url
from tests.console.supervisor.test_alerts import html
from tests.console.supervisor.test_queue import listed, several
from tests.notices.conftest import verified


def keep(hotel: Hotel, name: str, view: str = "", who: str = "chief", **form: str) -> HttpResponse:
    return hotel.post(who, "queue_view_keep", data={"view_name": name, "view": view, **form})


def tabs(page: str) -> list[tuple[str, str]]:
    """The names and numbers of the views on a page."""
    return re.findall(r'<span dir="auto">(.*?)</span> <span class="cg-count">(.*?)</span>', page)


def test_a_view_is_kept_counted_and_marked(hotel: Hotel) -> None:
    alerts = several(hotel, 3)
    Alert.objects.filter(pk=alerts[0].pk).update(severity=3)

    assert keep(hotel, "  Serious  ones ", "severity=3")["Location"] == url("alerts") + "?severity=3"
    keep(hotel, "Everything")
    page = html(hotel.get("chief", "alerts", query="?severity=3"))

    assert tabs(page) == [("Everything", "3"), ("Serious ones", "1")]
    assert re.search(r'\?severity=3" aria-current="true"><span dir="auto">Serious ones', page)
    assert "Serious ones" not in html(hotel.get("vice", "alerts"))
    assert not [fault for fault in verified() if fault.startswith("queueview")]


def test_counts_are_of_what_the_person_may_see(hotel: Hotel) -> None:
    several(hotel, 2)
    alert_for(hotel.other, says(hotel.other, "hello"))
    for who in ("chief", "boss", "compliance"):
        keep(hotel, "All", "status=all", who)

    found = [tabs(html(hotel.get(who, "alerts"))) for who in ("chief", "boss", "compliance")]

    assert found == [[("All", "2")], [("All", "1")], [("All", "3")]]


def test_the_queue_opens_with_the_default_view_and_all_can_still_be_shown(hotel: Hotel) -> None:
    alerts = several(hotel, 2)
    Alert.objects.filter(pk=alerts[0].pk).update(severity=3)
    keep(hotel, "First", "topic=off_channel", first="1")
    keep(hotel, "Serious", "severity=3", first="1")

    assert hotel.get("chief", "alerts")["Location"] == url("alerts") + "?severity=3"
    assert len(listed(hotel, "?status=waiting")) == 2
    view = QueueView.objects.get(name="Serious")
    hotel.post("chief", "queue_view_change", view.pk, data={"view_name": "Grave"})
    assert list(QueueView.objects.filter(is_default=True)) == []
    assert hotel.get("chief", "alerts").status_code == 200
    hotel.post("chief", "queue_view_remove", view.pk)
    assert [name for name, _count in tabs(html(hotel.get("chief", "alerts")))] == ["First"]
    kinds = Event.objects.filter(subject_type="queue_view", subject_id=view.pk).order_by("pk")
    assert list(kinds.values_list("kind", flat=True)) == [
        "queue_view.kept",
        "queue_view.changed",
        "queue_view.removed",
    ]
    assert not [fault for fault in verified() if fault.startswith("queueview")]


def test_an_unfiltered_default_view_leads_to_no_loop(hotel: Hotel) -> None:
    keep(hotel, "All", first="1")

    response = hotel.get("chief", "alerts")

    assert response["Location"] == url("alerts") + "?status=waiting"
    assert hotel.browser("chief").get(response["Location"]).status_code == 200


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "a\x00b", "Serious"])
def test_a_name_that_can_not_be_used_is_told_and_kept(hotel: Hotel, name: str) -> None:
    keep(hotel, "Serious", "severity=3")

    response = keep(hotel, name, "severity=3")

    assert response.status_code == 422
    assert 'role="alert"' in html(response)
    assert QueueView.objects.count() == 1


def test_hostile_names_and_filters_do_no_harm(hotel: Hotel) -> None:
    keep(hotel, "<script>x</script>", "severity=3&evil=<b>&team=' OR 1=1&cursor=9")
    QueueView.objects.update(query="severity=99&status=&person=nobody&age=7")

    page = html(hotel.get("chief", "alerts"))

    assert QueueView.objects.get().name == "<script>x</script>"
    assert "<script>x" not in page
    assert "?age=7" in page


def test_the_number_of_views_is_bounded(hotel: Hotel) -> None:
    for number in range(MOST):
        queue_view_keep(actor=hotel.people["chief"], name=f"View {number}", query="")

    assert keep(hotel, "One more").status_code == 422
    assert "Remove one" in html(hotel.get("chief", "alerts"))
    assert QueueView.objects.count() == MOST
