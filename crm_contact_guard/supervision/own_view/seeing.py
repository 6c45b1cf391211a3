"""What employees may see of what is recorded and flagged about them. No number sums a person up.

See docs/decisions for why alerts are shown only after the review unless the company chooses otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from crm_contact_guard.conf import settings
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.record.models import Direction, Event
from crm_contact_guard.supervision.consulting.rights import consultations
from crm_contact_guard.supervision.models import Alert, Inspection, Stance

#: Values of the setting ``OWN_FLAGS``: when employees see alerts that concern them.
CHOICES = ("reviewed", "all", "none")
#: How far back, and how many, views and refusals are listed.
SINCE = timedelta(days=90)
MOST = 50


def own_flags(viewer: Employee) -> QuerySet[Alert]:
    """Return the alerts that concern the viewer and that the viewer may see, without those that were only noticed."""
    rows = Alert.objects.filter(concerned=viewer, tenant=viewer.tenant)
    if not viewer.active or settings.OWN_FLAGS == "none":
        return rows.none()
    if settings.OWN_FLAGS != "all":
        # A case has its own procedure, in which the employee is heard.
        rows = rows.filter(status=Alert.Status.CLOSED).exclude(resolution=Alert.Resolution.CASE_OPENED)
    return rows.exclude(resolution=Alert.Resolution.NOTICED)


def own_refusals(viewer: Employee) -> Sequence[Inspection]:
    """Return the viewer's latest messages that decline or report an attempt: they stand to the viewer's credit."""
    rows = Inspection.objects.filter(
        message__employee=viewer,
        message__direction=Direction.OUTBOUND,
        stance__in=(Stance.REFUSE, Stance.REPORT),
        message__occurred_at__gte=timezone.now() - SINCE,
    )
    return list(rows.select_related("message__conversation__customer").order_by("-message__occurred_at")[:MOST])


def own_views(viewer: Employee) -> list[Event]:
    """Return who looked at the viewer's conversations, newest first.

    A view of an alert or consultation that the viewer doesn't see is left out, since it would give the review away.
    """
    rows = Event.objects.filter(
        Q(kind="view.content") | Q(kind="view.unmasked"),
        conversation__employee=viewer,
        recorded_at__gte=timezone.now() - SINCE,
    ).exclude(actor=str(viewer.pk))
    known = {str(key) for key in own_flags(viewer).values_list("pk", flat=True)}
    known |= {str(key) for key in consultations(viewer).values_list("pk", flat=True)}
    shown = []
    for event in rows.select_related("conversation__customer").order_by("-recorded_at", "-pk")[: 10 * MOST]:
        about = json.loads(event.data).get("about")
        if about is None or about in known:
            shown.append(event)
    return shown[:MOST]
