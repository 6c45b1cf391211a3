"""The second review of closed alerts is blind: until it is given, nothing shows its reviewer the first judgement."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import AlreadyClosed, InvalidMessage, NotPermitted
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.own_view.remarks import flag_remark
from crm_contact_guard.supervision.quality.assigning import second_reviews_reassign
from crm_contact_guard.supervision.quality.drawing import sample_draw
from crm_contact_guard.supervision.quality.models import SampleDraw, SecondReview
from crm_contact_guard.supervision.quality.report import quality
from crm_contact_guard.supervision.quality.second import second_review_give, to_review
from crm_contact_guard.supervision.review import alert_close, alert_reopen
from crm_contact_guard.tokens.issuing import token_create
from tests.console.conftest import Hotel, alert_for, says, url
from tests.supervision.quality.test_sampling import this_monday


def closed(hotel: Hotel, by: str, resolution: str = "false_positive") -> Alert:
    alert = alert_for(hotel.talk, says(hotel.talk, "My LINE is hanako_22"), 11, 20)
    return alert_close(alert_id=alert.pk, reviewer=hotel.people[by], resolution=resolution, comment="zzz-comment")


def draw(**given: Any) -> SampleDraw:
    changed = {**settings.CONTACT_GUARD, "SECOND_REVIEW_SHARE": 1, "REVIEW_LEAST": 0, "REVIEW_SHARE": 0, **given}
    with override_settings(CONTACT_GUARD=changed):
        made = sample_draw(tenant="", first=this_monday(), root=b"secret")
    assert made is not None
    return made


def everything_shown_to(hotel: Hotel, person: Employee, alert: Alert) -> dict[str, str]:
    """What each page and address of the API tells the person who looks for the alert."""
    browser = hotel.browser(person.name.lower())
    pages = [
        url("dashboard"),
        url("alerts") + "?status=all",
        url("alerts") + "?status=closed",
        url("alert", alert.pk),
        url("conversation", alert.conversation_id),
        url("quality"),
        url("notices"),
        url("cases"),
    ]
    found = {page: browser.get(page).content.decode() for page in pages}
    token = token_create(employee=person, name="reader").text
    for path in ("alerts/", "alerts/?status=closed", "alerts/?resolution=false_positive", f"alerts/{alert.pk}/"):
        headers = {"Authorization": f"Bearer {token}"}
        found[path] = browser.get(f"/guard/api/v1/{path}", headers=headers).content.decode()
    findings = browser.get(f"/guard/api/v1/findings/?alert={alert.pk}", headers={"Authorization": f"Bearer {token}"})
    found["findings"] = findings.content.decode()
    return found


def test_the_first_judgement_is_nowhere_until_the_second_is_given(hotel: Hotel) -> None:
    alert = closed(hotel, "chief")
    flag_remark(alert_id=alert.pk, actor=hotel.people["aoi"], kind="contest", text="zzz-remark")
    assert draw().second_drawn == 1
    row = SecondReview.objects.get()
    assert row.reviewer is not None
    person = row.reviewer
    assert person.name in ("Vice", "Compliance")
    assert row.first == "", "not even the row tells it"

    before = everything_shown_to(hotel, person, alert)
    assert {name for name, text in before.items() if str(alert.pk) in text and "api" not in name} <= {
        f"alerts/{alert.pk}/",
        url("alert", alert.pk),
    }, "only the answers that there is no such alert"
    for name, text in before.items():
        assert "zzz-" not in text, name
        assert name == url("quality") or "Chief" not in text.split("<main")[-1], name
    assert [before[name].count("false_positive") for name in ("alerts/", "findings")] == [0, 0]
    assert hotel.get(person.name.lower(), "alert", alert.pk).status_code == 404
    assert "1 of 1" not in before[url("quality")], "nor does the table of rules count it"
    own = hotel.get(person.name.lower(), "quality_second", row.pk).content.decode()
    assert "zzz-" not in own
    assert "Chief" not in own
    assert "hanako_22" in own
    # Everybody else sees it as before.
    other = "compliance" if person.name == "Vice" else "vice"
    assert "zzz-comment" in hotel.get(other, "alert", alert.pk).content.decode()
    assert hotel.get(other, "quality_second", row.pk).status_code == 404

    answer = hotel.post(person.name.lower(), "quality_second_give", row.pk, data={"resolution": "no_action"})
    assert answer.status_code == 302
    assert "zzz-comment" in everything_shown_to(hotel, person, alert)[url("alert", alert.pk)]
    row.refresh_from_db()
    assert (row.first, row.resolution, row.first_by) == ("false_positive", "no_action", hotel.people["chief"])
    alert.refresh_from_db()
    assert alert.resolution == "false_positive", "the first judgement stays in force"
    assert quality("", timezone.now() - timezone.timedelta(days=9)).second.counts == {("false", "true"): 1}


def test_who_gives_the_second_review(hotel: Hotel) -> None:
    alert = closed(hotel, "vice", "coaching")
    draw()
    row = SecondReview.objects.get()
    chief, compliance, vice = (hotel.people[name] for name in ("chief", "compliance", "vice"))
    assert row.reviewer in (chief, compliance)
    for person in (vice, hotel.people["aoi"], hotel.people["auditor"]):
        with pytest.raises(NotPermitted):
            second_review_give(review_id=row.pk, reviewer=person, resolution="coaching")

    # Whoever isn't assigned may look at the alert, and can't be assigned afterwards.
    other = compliance if row.reviewer == chief else chief
    hotel.get(other.name.lower(), "alert", alert.pk)
    Employee.objects.filter(pk=row.reviewer.pk).update(active=False)
    assert second_reviews_reassign() == 1
    row.refresh_from_db()
    assert row.reviewer is None
    Employee.objects.update(active=True)
    assert second_reviews_reassign() == 1
    row.refresh_from_db()
    assert row.reviewer is not None
    assert row.reviewer != other

    with pytest.raises(InvalidMessage):
        second_review_give(review_id=row.pk, reviewer=row.reviewer, resolution="case_opened")
    # An alert that is opened again is visible, and its review waits.
    alert_reopen(alert_id=alert.pk, reviewer=vice, reason="Again")
    assert hotel.get(row.reviewer.name.lower(), "alert", alert.pk).status_code == 200
    assert not to_review(row.reviewer).exists()
    with pytest.raises(AlreadyClosed):
        second_review_give(review_id=row.pk, reviewer=row.reviewer, resolution="coaching")
