"""One employee's template to several customers is one judgement, however the customers are called."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import AlreadyClosed
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.alerts import NewFinding, Verdict, alert_raise
from crm_contact_guard.supervision.handling.alike import alerts_close_alike, alike
from crm_contact_guard.supervision.handling.bulk import alerts_undo
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.quality.intervals import Share
from crm_contact_guard.supervision.quality.precision import precisions
from crm_contact_guard.supervision.review import alert_claim, alert_close
from tests import factories

pytestmark = pytest.mark.django_db
CALL = "090-1234-5678"


def written(owner: Employee, customer: str, text: str, *, direction: str = "outbound") -> Alert:
    talk = factories.conversation(owner, name=customer)
    sender = {"employee_id": owner.pk} if direction == "outbound" else {}
    said = factories.recorded(talk, text, direction=direction, **sender)
    start = text.index(CALL)
    finding = NewFinding(
        message=said,
        kind="contact_identifier",
        start=start,
        end=start + len(CALL),
        score=0.9,
        detector="phone",
        version="1",
    )
    side = "employee" if direction == "outbound" else "customer"
    verdict = Verdict(topic="off_channel", by=side, stance="offer", at=said, findings=[finding])
    alert = alert_raise(conversation=talk, verdict=verdict, notify=False)
    assert alert is not None
    return alert


def test_the_same_words_are_decided_in_one_act_and_counted_once() -> None:
    desk = factories.team(head="sora")
    aoi, ken = factories.employee("aoi", branch=desk), factories.employee("ken", branch=desk)
    sora = Employee.objects.get(name="Sora")
    guests = ("Hanako Sato", "Robert King", "Ivo")
    first, second, third = (
        written(aoi, guest, f"Thank you for staying.\nDear {guest}, call me at {CALL}!") for guest in guests
    )
    wide = written(aoi, "Mei Lin", f"Dear  MEI Lin,  call me at {CALL}. See you.")
    other = written(aoi, "Otto", f"My new number is {CALL}, only for you")
    colleague = written(ken, "Paul Berg", f"Dear Paul Berg, call me at {CALL}!")
    asked = written(aoi, "Lena", f"Dear Lena, call me at {CALL}!", direction="inbound")

    assert {one.pk for one in alike(first, sora)} == {second.pk, third.pk, wide.pk}
    assert alike(other, sora) == alike(colleague, sora) == alike(asked, sora) == []

    # A colleague's claim and what came after the page was made stay as they are.
    officer = factories.employee("mio", job="compliance")
    alert_claim(alert_id=second.pk, reviewer=officer)
    late = written(aoi, "Zoe Low", f"Dear Zoe Low, call me at {CALL}!")
    as_of = late.updated_at - timedelta(microseconds=1)
    act = {"reviewer": sora, "resolution": "false_positive", "as_of": as_of}
    outcome = alerts_close_alike(alert_id=first.pk, comment="The signature", **act)

    assert outcome.closed == 3
    statuses = dict(Alert.objects.values_list("pk", "status"))
    closed = {key for key, status in statuses.items() if status == "closed"}
    assert closed == {first.pk, third.pk, wide.pk}
    steps = Event.objects.filter(kind="alert.closed")
    assert {event.subject_id for event in steps} == {str(key) for key in closed}
    assert {event.reason for event in steps} == {"The signature"}
    with pytest.raises(AlreadyClosed):
        alerts_close_alike(alert_id=first.pk, comment="Again", **{**act, "reviewer": officer})

    # Decided one by one, it is the same judgement.
    alert_close(alert_id=late.pk, reviewer=sora, resolution="false_positive")
    alert_close(alert_id=other.pk, reviewer=sora, resolution="coaching")
    alert_close(alert_id=colleague.pk, reviewer=sora, resolution="coaching")
    [found] = precisions("", timezone.now() - timedelta(days=1))
    assert found.share == Share(2, 3)

    assert alerts_undo(batch=outcome.batch, reviewer=sora) == 3
    assert Alert.objects.get(pk=first.pk).status == "open"
