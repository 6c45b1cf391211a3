"""Chooses who gives a second review: a person who may work on the alert and doesn't know the first judgement."""

from __future__ import annotations

from uuid import UUID

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.hosting import database
from crm_contact_guard.record.models import Event
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.supervision import routing
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.quality.hashing import place_of
from crm_contact_guard.supervision.quality.models import SecondReview


def second_review_assign(row: SecondReview, key: bytes) -> None:
    """Assign the review to a permitted person, chosen by keyed hash; to nobody if there is none."""
    people = permitted(row.alert)
    chosen = min(people, key=lambda person: place_of(key, person.pk), default=None)
    if (chosen.pk if chosen is not None else None) != row.reviewer_id:
        row.reviewer = chosen
        row.save(force_update=True, update_fields=["reviewer"])
        record_event(
            kind="second_review.assigned",
            subject_type="second_review",
            subject_id=row.pk,
            actor_type=Event.ActorType.SYSTEM,
            tenant=row.draw.tenant,
            row=row,
        )


def second_reviews_reassign() -> int:
    """Reassign reviews whose reviewer left or isn't blind any more, and those of nobody. Return their number."""
    waiting = SecondReview.objects.filter(given_at=None, alert__status=Alert.Status.CLOSED).order_by("pk")
    return sum(_reassign(key) for key in waiting.values_list("pk", flat=True))


@database.atomic()
def _reassign(key: UUID) -> bool:
    row = SecondReview.objects.select_for_update().get(pk=key)
    before = row.reviewer_id
    if row.given_at is None and before not in {person.pk for person in permitted(row.alert)}:
        second_review_assign(row, bytes.fromhex(row.draw.key))
    return row.reviewer_id != before


def permitted(alert: Alert) -> list[Employee]:
    """Return who may give a second review: whoever may be assigned the alert and hasn't seen how it ended."""
    seen = Event.objects.filter(
        kind="view.content",
        conversation_id=alert.conversation_id,
        recorded_at__gte=alert.closed_at,
        data__contains=f'"about":"{alert.pk}"',
    )
    closed = Event.objects.filter(subject_type="alert", subject_id=str(alert.pk), kind="alert.closed")
    know = {*seen.values_list("actor", flat=True), *closed.values_list("actor", flat=True), str(alert.claimed_by_id)}
    return [one for one in routing.assignable(alert) if str(one.pk) not in know]
