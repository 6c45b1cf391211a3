"""Approval of unmasking by a second person (setting ``UNMASK_APPROVAL``). Requests and approvals are events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.directory.rights import may_unmask
from crm_contact_guard.exceptions import NotPermitted
from crm_contact_guard.hosting import database
from crm_contact_guard.notices import topics
from crm_contact_guard.notices.models import Cadence
from crm_contact_guard.notices.telling import tell
from crm_contact_guard.notices.topics import Line
from crm_contact_guard.record.access import unmask_reason
from crm_contact_guard.record.models import Conversation, Event
from crm_contact_guard.record.recording import record_event

REQUEST: Final = "unmask_request"
#: A request that nobody approves within this time lapses.
WAITS: Final = timedelta(hours=24)


@database.atomic()
def unmask_ask(*, conversation: Conversation, actor: Employee, reason: str) -> Event:
    """Ask a second person to approve that the actor sees a customer's full addresses, and tell those who can.

    While a request of the actor waits, return it. Raise NotPermitted, and InvalidMessage without a reason.
    """
    reason = unmask_reason(actor, reason, conversation.tenant)
    Conversation.objects.select_for_update().get(pk=conversation.pk)
    for known in _waiting().filter(conversation=conversation, actor=str(actor.pk)):
        if not _approved(known):
            return known
    event = record_event(
        kind="unmask.asked",
        subject_type="conversation",
        subject_id=conversation.pk,
        by=actor,
        conversation=conversation,
        reason=reason,
    )
    officers = Employee.objects.filter(tenant=conversation.tenant, role=Role.COMPLIANCE, active=True)
    tell(
        topic=REQUEST,
        subject=("unmask", event.pk),
        people=officers.exclude(pk=actor.pk),
        conversation=conversation,
    )
    return event


@database.atomic()
def unmask_approve(*, request_id: UUID, approved_by: Employee) -> None:
    """Approve a request. Repeating the call has no effect.

    Raise NotPermitted for those who may not unmask, for the one who asked, and for a request that has lapsed.
    """
    asked = _waiting().filter(pk=request_id, tenant=approved_by.tenant).select_related("conversation").first()
    if asked is None or asked.conversation is None or not _may_approve(approved_by, asked):
        raise NotPermitted(_("A second compliance officer approves this, while the request waits."))
    Conversation.objects.select_for_update().get(pk=asked.conversation.pk)
    if not _approved(asked):
        record_event(
            kind="unmask.approved",
            subject_type="unmask",
            subject_id=asked.pk,
            by=approved_by,
            conversation=asked.conversation,
            data={"for": asked.actor},
        )


def unmask_requests(viewer: Employee) -> list[Event]:
    """Return the requests that the viewer can approve, oldest first, with their conversations loaded."""
    rows = _waiting().filter(tenant=viewer.tenant).select_related("conversation__customer", "conversation__employee")
    return [row for row in rows.order_by("pk") if _may_approve(viewer, row) and not _approved(row)]


def _waiting() -> QuerySet[Event]:
    return Event.objects.filter(kind="unmask.asked", recorded_at__gt=timezone.now() - WAITS)


def _may_approve(person: Employee, asked: Event) -> bool:
    return may_unmask(person, asked.tenant) and asked.actor != str(person.pk)


def _approved(asked: Event) -> bool:
    return Event.objects.filter(kind="unmask.approved", subject_type="unmask", subject_id=str(asked.pk)).exists()


def _lines(person: Employee | None, ids: Sequence[str]) -> Mapping[str, Line]:
    if person is None:
        return {}
    rows = {str(row.pk): row for row in unmask_requests(person)}
    names = dict(Employee.objects.filter(pk__in={row.actor for row in rows.values()}).values_list("pk", "name"))
    return {
        key: Line(
            text=_("%(name)s asks to see a customer's full addresses") % {"name": names.get(UUID(rows[key].actor), "")},
            path=reverse("crm_contact_guard:access_log"),
            since=rows[key].recorded_at,
        )
        for key in ids
        if key in rows
    }


topics.register(
    topics.Topic(
        name=REQUEST,
        label=gettext_lazy("A request to see full addresses"),
        many=gettext_lazy("Requests to see full addresses"),
        lines=_lines,
        cadence=Cadence.AT_ONCE,
        roles=frozenset({Role.COMPLIANCE}),
    )
)
