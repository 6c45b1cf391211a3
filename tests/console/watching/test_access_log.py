"""The access log as a page and as a file: who read what and why, filtered, in pages, and without one's own matters."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.utils import timezone

from crm_contact_guard.console.watching import access_log
from crm_contact_guard.record.models import Event
from tests.console.conftest import Hotel, alert_for, says
from tests.file_samples import read_to_end

pytestmark = pytest.mark.django_db


def test_the_log_says_who_read_what_and_why_and_is_downloaded(hotel: Hotel, monkeypatch: pytest.MonkeyPatch) -> None:
    says(hotel.talk, "hello")
    hotel.get("chief", "conversation", hotel.talk.pk)
    hotel.get("aoi", "conversation", hotel.talk.pk)
    hotel.post("compliance", "conversation_unmask", hotel.talk.pk, data={"reason": "=She asked <b>"})
    hotel.get("auditor", "conversation", hotel.other.pk)

    def page(query: str = "") -> str:
        return hotel.get("auditor", "access_log", query=query).content.decode()

    whole = page()
    assert "=She asked &lt;b&gt;" in whole
    assert whole.count("Hanako Sato (Aoi)") == 2
    assert whole.count("Robert King (Ren)") == 1, "one's own readings too"
    chief, today = hotel.people["chief"].pk, timezone.localdate()
    counts = {
        f"?person={chief}": (1, 0),
        "?what=unmasked": (1, 0),
        "?what=exported": (0, 0),
        f"?conversation={hotel.other.pk}": (0, 1),
        f"?since={today}&until={today}": (2, 1),
        "?until=2020-01-01": (0, 0),
    }
    for query, expected in counts.items():
        shown = page(query)
        assert (shown.count("Hanako Sato (Aoi)"), shown.count("Robert King (Ren)")) == expected, query
    assert "left out: person, sort" in page("?person=me&sort=up&what=read")

    answer = hotel.post("auditor", "access_log_export", data={"form": "csv", "view": f"conversation={hotel.talk.pk}"})
    rows = list(csv.DictReader(io.StringIO(read_to_end(answer).decode("utf-8-sig"))))
    assert [(row["actor_name"], row["kind"], row["customer_name"], row["reason"]) for row in rows] == [
        ("Chief", "view.content", "Hanako Sato", ""),
        ("Compliance", "view.unmasked", "Hanako Sato", "'=She asked <b>"),
    ]
    exported = Event.objects.get(kind="export.streamed")
    assert json.loads(exported.details or "") == {"filters": {"conversation": str(hotel.talk.pk)}}
    answer = hotel.post("auditor", "access_log_export", data={"form": "jsonl", "view": "what=exported"})
    lines = [json.loads(line) for line in read_to_end(answer).decode().splitlines()]
    assert [line["data"]["form"] for line in lines] == ["access-log.csv", "access-log.jsonl"]
    assert lines[0]["leaf_hash"] == bytes(exported.leaf_hash).hex()

    # Page by page, each access once.
    monkeypatch.setattr(access_log, "PAGE", 2)
    seen, cursor = [], ""
    while True:
        shown = hotel.get("auditor", "access_log", query=cursor).context["page"]
        seen += [row.event.pk for row in shown.rows]
        if not shown.next_cursor:
            break
        cursor = f"?cursor={shown.next_cursor}"
    assert seen == list(Event.objects.filter(kind__regex="^(view|export)").order_by("-pk").values_list("pk", flat=True))
    assert page("?cursor=nonsense").count("Robert King (Ren)") == 0, "the first page again"

    # What was read about an alert that concerns the reader would give the review away.
    alert = alert_for(hotel.talk, says(hotel.talk, "Here is my number"))
    alert.concerned = hotel.people["auditor"]
    alert.save()
    assert "Hanako" not in page()
