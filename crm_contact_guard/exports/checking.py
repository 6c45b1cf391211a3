"""Verify the whole record at somebody's request: asked for on a page, done by a worker, the result an event.

No table is needed: a request without a later result is still to be done, also if a worker died.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.dispatch import later
from crm_contact_guard.exceptions import ConfigurationError, NotPermitted
from crm_contact_guard.exports.jobs.rights import may_export
from crm_contact_guard.hosting import database
from crm_contact_guard.record.models import Event
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.sealing import proofs
from crm_contact_guard.verification.whole_record import verify

ASKED, DONE = "verification.requested", "verification.done"
#: How many faults the result names.
_NAMED: Final = 20
#: A request without a result after this time is done again.
_LATE: Final = timedelta(minutes=10)


@dataclass(frozen=True)
class Result:
    """The last verification. ``holds`` is None while it runs."""

    asked_at: datetime
    holds: bool | None = None
    done_at: datetime | None = None
    messages: int = 0
    events: int = 0
    faults: int = 0
    named: tuple[str, ...] = ()


@database.atomic()
def verification_request(*, actor: Employee) -> None:
    """Have a worker verify the record. Does nothing while one does. Raise NotPermitted."""
    if not may_export(actor):
        raise NotPermitted(_("You may not export the record."))
    running = last(actor.tenant)
    if running is not None and running.holds is None and timezone.now() - running.asked_at < _LATE:
        return
    event = record_event(
        kind=ASKED,
        subject_type="record",
        subject_id="whole",
        by=actor,
        tenant=actor.tenant,
    )
    later("verify_record", str(event.pk))


def verification_run(event_id: str) -> None:
    """Verify the record, and record the result, unless it is recorded. Running twice does no harm."""
    asked = Event.objects.get(pk=event_id, kind=ASKED)
    if Event.objects.filter(kind=DONE, subject_type="verification", subject_id=str(asked.pk)).exists():
        return
    try:
        report = verify()
        faults, count, rows = [str(fault) for fault in report.faults[:_NAMED]], report.fault_count, report.rows
    except ConfigurationError as error:
        faults, count, rows = [str(error)], 1, {"message": 0, "event": 0}
    head = proofs.head()
    record_event(
        kind=DONE,
        subject_type="verification",
        subject_id=str(asked.pk),
        actor_type=Event.ActorType.SYSTEM,
        tenant=asked.tenant,
        data={
            "faults": count,
            "message": rows["message"],
            "event": rows["event"],
            "size": head.size if head is not None else 0,
        },
        details={"faults": faults} if faults else None,
    )


def due() -> list[str]:
    """Return the requests of the last day whose worker seems to have died."""
    now = timezone.now()
    asked = Event.objects.filter(kind=ASKED, recorded_at__gt=now - timedelta(days=1), recorded_at__lt=now - _LATE)
    done = Event.objects.filter(kind=DONE, recorded_at__gt=now - timedelta(days=1)).values_list("subject_id", flat=True)
    return [str(pk) for pk in asked.values_list("pk", flat=True) if str(pk) not in set(done)]


def last(tenant: str) -> Result | None:
    """Return the last verification that somebody of the tenant asked for."""
    asked = Event.objects.filter(kind=ASKED, tenant=tenant).order_by("-recorded_at").first()
    if asked is None:
        return None
    done = Event.objects.filter(subject_type="verification", subject_id=str(asked.pk), kind=DONE).first()
    if done is None:
        return Result(asked.recorded_at)
    told, named = json.loads(done.data), json.loads(done.details or "{}").get("faults", ())
    return Result(
        asked_at=asked.recorded_at,
        holds=not told["faults"],
        done_at=done.recorded_at,
        messages=told["message"],
        events=told["event"],
        faults=told["faults"],
        named=tuple(named),
    )
