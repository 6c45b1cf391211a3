"""A sample of what nobody was warned of: drawn so that an auditor can repeat it, read by people, and bounded."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.utils import timezone

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import AlreadyClosed, InvalidMessage, NotPermitted
from crm_contact_guard.policy.hours import zone_named
from crm_contact_guard.record.models import Conversation, Event
from crm_contact_guard.supervision.models import Finding
from crm_contact_guard.supervision.quality.drawing import draw_due, sample_draw
from crm_contact_guard.supervision.quality.models import SampleDraw, SampledTalk
from crm_contact_guard.supervision.quality.reading import sample_read, to_read
from crm_contact_guard.supervision.quality.redrawing import redraw
from crm_contact_guard.supervision.quality.report import quality
from tests import factories
from tests.console.conftest import alert_for

pytestmark = pytest.mark.django_db


def this_monday() -> date:
    today = timezone.now().astimezone(zone_named("")).date()
    return today - timedelta(days=today.weekday())


def talks(number: int, owner: Employee) -> list[Conversation]:
    made = [factories.conversation(owner, name=f"Guest {index}") for index in range(number)]
    for talk in made:
        factories.recorded(talk, "Good morning", occurred_at=timezone.now())
    return made


def drawn(**settings_given: object) -> SampleDraw:
    with override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, **settings_given}):
        draw = sample_draw(tenant="", first=this_monday(), root=b"secret")
    assert draw is not None
    return draw


def test_a_week_is_drawn_once_and_an_auditor_can_repeat_it() -> None:
    aoi = factories.employee("aoi", branch=factories.team(head="sora"))
    made = talks(12, aoi)
    flagged = made[0]
    alert_for(flagged, flagged.messages.get())
    draw = drawn(REVIEW_SHARE=0.01, REVIEW_LEAST=5)

    assert draw.frame == 11
    assert draw.chance == pytest.approx(5 / 11)
    taken = set(draw.talks.values_list("conversation_id", flat=True))
    assert len(taken) == draw.drawn > 0
    assert flagged.pk not in taken
    assert Event.objects.filter(kind="sample.taken").count() == draw.drawn
    assert not Event.objects.filter(kind__startswith="sample.", conversation__isnull=False).exists()
    assert sample_draw(tenant="", first=this_monday(), root=b"secret") is None
    assert list(redraw(draw)) == []

    # Whoever adds to the sample, takes from it or tampers with the key is found out.
    removed = draw.talks.first()
    assert removed is not None
    SampledTalk.objects.filter(pk=removed.pk).delete()
    left_out = next(talk for talk in made if talk.pk not in {*taken, flagged.pk})
    SampledTalk.objects.create(draw=draw, conversation=left_out)
    assert sorted(redraw(draw)) == sorted(
        [
            f"conversation {removed.conversation_id} is drawn, but isn't in the sample",
            f"conversation {left_out.pk} is in the sample, but isn't drawn",
        ]
    )
    assert "another than the one that the draw recorded" in next(redraw(draw, b"other"))
    following = sample_draw(tenant="", first=this_monday() + timedelta(days=7), root=b"changed")
    assert following is not None
    assert any("announced another key" in line for line in redraw(following))
    with pytest.raises(CommandError, match="Nothing was drawn"):
        call_command("contact_guard_quality", "redraw", "2001-W01")


def test_last_week_is_drawn_by_itself_once_it_is_over() -> None:
    talks(1, factories.employee("aoi", branch=factories.team(head="sora")))
    over = timezone.make_aware(
        timezone.datetime.combine(this_monday() + timedelta(days=7), timezone.datetime.min.time()), zone_named("")
    )

    assert draw_due(over + timedelta(hours=5)) == 1, "only the week before, of which there is nothing"
    assert SampleDraw.objects.get().frame == 0
    assert draw_due(over + timedelta(hours=7)) == 3, "this one, and those that were missed in the last weeks"
    assert SampleDraw.objects.order_by("-period")[0].frame == 1
    assert draw_due(over + timedelta(hours=8)) == 0
    with override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, "SIGNING_KEY": ""}):
        assert draw_due(over + timedelta(days=8)) == 0, "without a key, anybody could choose"


def test_what_a_reader_finds_becomes_an_alert_and_the_bound_is_told() -> None:
    aoi = factories.employee("aoi", branch=factories.team(head="sora"))
    talks(3, aoi)
    drawn(REVIEW_SHARE=1)
    sora = Employee.objects.get(name="Sora")
    officer = factories.employee("mio", job="compliance")
    first, second, third = to_read(sora)

    assert list(to_read(aoi)) == []
    with pytest.raises(NotPermitted):
        sample_read(sample_id=first.pk, reader=aoi, verdict="nothing")
    sample_read(sample_id=first.pk, reader=sora, verdict="nothing")
    sample_read(sample_id=first.pk, reader=sora, verdict="nothing")
    with pytest.raises(AlreadyClosed):
        sample_read(sample_id=first.pk, reader=officer, verdict="missed")
    said = second.conversation.messages.get()
    for wrong in ({"kind": "contact_request"}, {"message_id": said.pk}, {"message_id": said.pk, "kind": "after_hours"}):
        with pytest.raises(InvalidMessage):
            sample_read(sample_id=second.pk, reader=sora, verdict="missed", **wrong)  # type: ignore[arg-type]
    done = sample_read(sample_id=second.pk, reader=sora, verdict="missed", message_id=said.pk, kind="contact_request")

    assert done.alert is not None
    assert (done.alert.topic, done.alert.stance, done.alert.concerned) == ("off_channel", "ask", aoi)
    assert Finding.objects.get(alert=done.alert).detector == "person"
    found = quality("", timezone.now() - timedelta(days=30))
    assert (found.frame, found.drawn, found.missed.read, found.missed.missed) == (3, 3, 2, 1)
    assert found.missed.share == 0.5
    assert 0.5 < found.missed.at_most < 1
    # The sampled conversation of a person who takes part in it is somebody else's to read.
    factories.recorded(third.conversation, "I helped", direction="outbound", employee_id=sora.pk)
    assert list(to_read(sora)) == []
    assert [row.pk for row in to_read(officer)] == [third.pk]
