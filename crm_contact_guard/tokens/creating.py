"""Requests that create something, at most once for each ``Idempotency-Key`` of a person."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.hosting.insert_once import insert_once
from crm_contact_guard.record.models import Event
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.tokens.models import Creation


def earlier(caller: Employee, operation: str, key: str, digest: str) -> UUID | None:
    """Return the ID of the row that an earlier request with this key created; None if there was no such request.

    Raise InvalidMessage if the earlier request had another body.
    """
    known = _known(caller, operation, key)
    if known is None:
        return None
    if known.request_digest != digest:
        raise InvalidMessage(_("This Idempotency-Key was used for another request."), field="Idempotency-Key")
    return known.created


def create_once(caller: Employee, operation: str, key: str, digest: str, make: Callable[[], UUID]) -> tuple[UUID, bool]:
    """Call ``make``, which authorises itself and returns the ID of its row, unless an earlier request did.

    Return the ID, and whether it is that of an earlier request. If two requests with a key run at the same time, what
    the second made is rolled back. Raise InvalidMessage if the earlier request had another body.
    """
    found = earlier(caller, operation, key, digest)
    if found is not None:
        return found, True
    with insert_once(lambda: _known(caller, operation, key)) as insertion:
        made = make()
        creation = Creation.objects.create(
            employee=caller,
            operation=operation,
            key=key,
            request_digest=digest,
            created=made,
            created_at=timezone.now(),
        )
        record_event(
            kind="creation.made",
            subject_type="creation",
            subject_id=creation.pk,
            actor_type=Event.ActorType.EMPLOYEE,
            actor=caller.pk,
            tenant=caller.tenant,
            row=creation,
        )
    if insertion.is_first:
        return made, False
    again = earlier(caller, operation, key, digest)
    assert again is not None  # noqa: S101 - the constraint has just found it
    return again, True


def _known(caller: Employee, operation: str, key: str) -> Creation | None:
    return Creation.objects.filter(employee=caller, operation=operation, key=key).first()
