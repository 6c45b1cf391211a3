"""The conversations in which a reader has a task: what is unusual for others is that person's work."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Q

from crm_contact_guard.delivery.models import Wait
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.record.models import Conversation, Event
from crm_contact_guard.supervision.cases.models import CaseEvidence
from crm_contact_guard.supervision.consulting.rights import consultations
from crm_contact_guard.supervision.models import Finding
from crm_contact_guard.supervision.quality.models import SecondReview
from crm_contact_guard.supervision.quality.reading import sampled
from crm_contact_guard.supervision.rights import alerts
from crm_contact_guard.supervision.watching.models import UnusualReading
from crm_contact_guard.supervision.watching.rights import unusual_readings

#: Acts on a customer that require reading the customer's conversations: data requests, erasures and legal holds.
_ACTS: Final = Q(kind__startswith="subject.") | Q(kind__startswith="erasure.") | Q(kind__startswith="hold.")


def with_task(reader: Employee, talks: Collection[UUID], since: datetime) -> set[UUID]:
    """Return those of the conversations in which the reader has a task.

    That is an alert that the reader may see, a random or second review, a case, a consultation, a held or urgent
    message, an unusual reading by somebody else, a sender to be identified, or a customer whose data the reader has
    dealt with ``since``.
    """
    rows = Conversation.objects.filter(pk__in=talks)
    seen = alerts(reader)
    found = set(seen.filter(conversation__in=talks).values_list("conversation", flat=True))
    others = Finding.objects.filter(alert__in=seen, message__conversation__in=talks)
    found.update(others.values_list("message__conversation", flat=True))
    drawn = sampled(reader).filter(Q(verdict="") | Q(read_by=reader), conversation__in=talks)
    found.update(drawn.values_list("conversation", flat=True))
    second = SecondReview.objects.filter(reviewer=reader, alert__conversation__in=talks)
    found.update(second.values_list("alert__conversation", flat=True))
    mine = CaseEvidence.objects.filter(case__participants__employee=reader, conversation__in=talks)
    found.update(mine.values_list("conversation", flat=True))
    found.update(consultations(reader).filter(conversation__in=talks).values_list("conversation", flat=True))
    found.update(Wait.objects.filter(message__conversation__in=talks).values_list("message__conversation", flat=True))
    urgent = Event.objects.filter(kind="override.emergency", conversation__in=talks)
    found.update(urgent.values_list("conversation", flat=True))
    found.update(rows.filter(customer__key=None).values_list("pk", flat=True))
    acts = Event.objects.filter(_ACTS, actor=str(reader.pk), subject_type="customer", recorded_at__gte=since)
    customers = [UUID(key) for key in acts.values_list("subject_id", flat=True) if _is_id(key)]
    found.update(rows.filter(customer__in=customers).values_list("pk", flat=True))
    return found | _looked_into(reader)


def _looked_into(reader: Employee) -> set[UUID]:
    """Return the conversations of unusual readings that the reader must judge."""
    rows = unusual_readings(reader).filter(state=UnusualReading.State.OPEN)
    keys = [key for evidence in rows.values_list("evidence", flat=True) for key in evidence]
    return set(Event.objects.filter(pk__in=keys).values_list("conversation", flat=True))


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
