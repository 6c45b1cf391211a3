"""Alerts about the same words of an employee are one row of the queue, and decided together if the viewer says so."""

from __future__ import annotations

import re
from typing import Any

from crm_contact_guard.supervision.models import Alert
from tests.console.conftest import Hotel, url
from tests.console.supervisor.test_alerts import html
from tests.supervision.handling.test_alike import CALL, written


def test_the_page_offers_to_decide_all_with_the_same_words(hotel: Hotel) -> None:
    for guest in ("Ivo", "Mei Lin", "Otto"):
        written(hotel.people["aoi"], guest, f"Dear {guest}, call me at {CALL}!")
    other = written(hotel.people["aoi"], "Lena", f"My new number is {CALL}, only for you")

    queue = html(hotel.get("chief", "alerts"))
    rows = re.findall(r'<li id="a-([0-9a-f-]+)"', queue)
    assert len(rows) == 2
    assert "2 more with the same words" in queue
    [first] = [key for key in rows if key != str(other.pk)]
    page = html(hotel.get("chief", "alert", first))
    [as_of] = re.findall(r'name="alike" value="(\d+)"', page)
    assert "2 more with the same words: decide all" in page
    assert "with the same words" not in html(hotel.get("chief", "alert", other.pk))
    assert "decide all" not in html(hotel.get("auditor", "alert", first))

    close: dict[str, Any] = {"resolution": "no_action", "alike": as_of, "next": "1", "view": "topic=off_channel"}
    response = hotel.post("chief", "alert_close", first, data=close)

    assert Alert.objects.filter(status="closed").count() == 3
    after = html(hotel.browser("chief").get(response["Location"]))
    assert "3 alerts closed." in after
    [batch] = re.findall(r'name="batch" value="([^"]+)"', after)
    assert hotel.post("chief", "alerts_undo", data={"batch": batch})["Location"].startswith(url("alerts"))
    assert not Alert.objects.filter(status="closed").exists()

    # A row that is selected in the queue stands for all that it folds.
    chosen = re.findall(r'name="alert" value="([^"]+)"', html(hotel.get("chief", "alerts")))
    both = [value for value in chosen if "," in value]
    hotel.post("chief", "alerts_close", data={"resolution": "no_action", "comment": "A signature", "alert": both})
    assert Alert.objects.filter(status="closed").count() == 3
