"""Notices that nobody got yet: an alert is notified until somebody got a mail, or has it in hand.

There was nobody to address it to when it was opened (the mirror knew no supervisor), that person has no e-mail address,
or no attempt succeeded. The sweep calls ``owed_queue``; what it queues is sent like any other notice.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from crm_contact_guard import crm
from crm_contact_guard.conf import settings
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.hosting import database
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.alerts import OWED, alert_address
from crm_contact_guard.supervision.models import Alert, Notice
from crm_contact_guard.supervision.notices import RETRY
from crm_contact_guard.supervision.routing import addressee

#: The wait between attempts after those of ``notices.RETRY`` failed.
AGAIN = timedelta(hours=6)


def owed_queue(limit: int = 200) -> int:
    """Queue what is owed to somebody who can be reached now. Returns the number of notices queued."""
    if not settings.NOTIFY.get("email", True):
        return 0
    return sum(_queue(alert) for alert in [*_without_addressee(limit), *_without_success(limit)])


def _without_addressee(limit: int) -> Iterator[Alert]:
    """Some open alerts that were opened for nobody and are to be notified."""
    rows = Alert.objects.filter(status=Alert.Status.OPEN, addressee__isnull=True, notices__isnull=True)
    alerts = {str(alert.pk): alert for alert in _some(rows, limit)}
    opened = Event.objects.filter(kind="alert.opened", subject_type="alert", subject_id__in=list(alerts))
    for event in opened.order_by("pk"):
        if json.loads(event.data).get(OWED):
            yield alerts[event.subject_id]


def _without_success(limit: int) -> list[Alert]:
    """Some open alerts all of whose notices failed."""
    notices = Notice.objects.filter(alert=OuterRef("pk"))
    failed = Q(state=Notice.State.FAILED)
    rows = Alert.objects.filter(Exists(notices.filter(failed)), ~Exists(notices.exclude(failed)))
    return _some(rows.filter(status=Alert.Status.OPEN), limit)


def _some(rows: QuerySet[Alert], limit: int) -> list[Alert]:
    # Not the oldest: if nobody can be found for these, the others would never be looked at.
    return list(rows.order_by("?")[:limit])


@database.atomic()
def _queue(found: Alert) -> bool:
    alert = Alert.objects.select_for_update().get(pk=found.pk)
    if alert.status != Alert.Status.OPEN or alert.notices.filter(~Q(state=Notice.State.FAILED)).exists():
        return False
    with crm.tenant(alert.tenant):
        person = addressee(alert.conversation)
    if person is None or (alert.notices.exists() and not person.email):
        return False
    if alert.addressee_id is None:
        alert_address(alert, person)
    return _renew(alert, person)


def _renew(alert: Alert, person: Employee) -> bool:
    """Give the person a notice that is due: now if they had none or had no address, else after ``AGAIN``."""
    now = timezone.now()
    notice, is_new = Notice.objects.get_or_create(
        alert=alert, employee=person, channel="email", defaults={"due_at": now}
    )
    if not is_new:
        had_address = notice.attempts > 1
        notice.state, notice.attempts = Notice.State.QUEUED, RETRY.tries - 1 if had_address else 0
        notice.due_at = now + AGAIN if had_address else now
        notice.save(update_fields=["state", "attempts", "due_at"])
    return True
