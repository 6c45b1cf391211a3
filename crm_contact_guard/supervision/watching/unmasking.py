"""Approval of unmasking by a second person (setting ``UNMASK_APPROVAL``). Requests and answers are events."""

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
from crm_contact_guard.notices import listing, topics
from crm_contact_guard.notices.models import Cadence
from crm_contact_guard.notices.telling import tell
from crm_contact_guard.notices.topics import Line
from crm_contact_guard.record.access import unmask_reason
from crm_contact_guard.record.models import Conversation, Event
from crm_contact_guard.record.recording import record_event

REQUEST: Final = "unmask_request"
ANSWER: Final = "unmask_answer"
_ANSWERS: Final = ("unmask.approved", "unmask.refused")
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
        if _answer(known) is None:
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
    """Approve a request, and tell who asked. Repeating the call has no effect.

    Raise NotPermitted for those who may not unmask, for the one who asked, and for a request that has lapsed or was
    refused.
    """
    _give_answer("unmask.approved", request_id, approved_by)


@database.atomic()
def unmask_refuse(*, request_id: UUID, refused_by: Employee, reason: str) -> None:
    """Refuse a request with a reason, and tell who asked, who may ask again. Repeating the call has no effect.

    Raise NotPermitted as ``unmask_approve`` does, also for a request that was approved, and InvalidMessage without a
    reason.
    """
    _give_answer("unmask.refused", request_id, refused_by, reason=reason)


def _give_answer(kind: str, request_id: UUID, by: Employee, *, reason: str | None = None) -> None:
    asked = _waiting().filter(pk=request_id, tenant=by.tenant).select_related("conversation").first()
    if asked is None or asked.conversation is None or not _may_approve(by, asked):
        raise NotPermitted(_("A second compliance officer decides on this, while the request waits."))
    if reason is not None:
        reason = unmask_reason(by, reason, asked.tenant)
    Conversation.objects.select_for_update().get(pk=asked.conversation.pk)
    known = _answer(asked)
    if known is not None:
        if known.kind != kind:
            raise NotPermitted(_("A second compliance officer decides on this, while the request waits."))
        return
    answer = record_event(
        kind=kind,
        subject_type="unmask",
        subject_id=asked.pk,
        by=by,
        conversation=asked.conversation,
        data={"for": asked.actor},
        reason=reason,
    )
    listing.settled("unmask", asked.pk)
    asker = Employee.objects.filter(pk=asked.actor)
    tell(topic=ANSWER, subject=("unmask_answer", answer.pk), people=asker, conversation=asked.conversation)


def unmask_refusal(viewer: Employee, conversation: Conversation) -> Event | None:
    """Return the refusal of the viewer's newest request for a conversation; None if it wasn't refused."""
    newest = _waiting().filter(conversation=conversation, actor=str(viewer.pk)).order_by("-pk").first()
    answer = _answer(newest) if newest is not None else None
    return answer if answer is not None and answer.kind == "unmask.refused" else None


def unmask_requests(viewer: Employee) -> list[Event]:
    """Return the requests that the viewer can decide on, oldest first, with their conversations loaded."""
    rows = _waiting().filter(tenant=viewer.tenant).select_related("conversation__customer", "conversation__employee")
    return [row for row in rows.order_by("pk") if _may_approve(viewer, row) and _answer(row) is None]


def _waiting() -> QuerySet[Event]:
    return Event.objects.filter(kind="unmask.asked", recorded_at__gt=timezone.now() - WAITS)


def _may_approve(person: Employee, asked: Event) -> bool:
    return may_unmask(person, asked.tenant) and asked.actor != str(person.pk)


def _answer(asked: Event) -> Event | None:
    return Event.objects.filter(kind__in=_ANSWERS, subject_type="unmask", subject_id=str(asked.pk)).first()


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


def _answers(person: Employee | None, ids: Sequence[str]) -> Mapping[str, Line]:
    if person is None:
        return {}
    mine = Event.objects.filter(pk__in=ids, kind__in=_ANSWERS, data__contains=f'"{person.pk}"')
    rows = [row for row in mine if row.conversation_id is not None]
    names = dict(Employee.objects.filter(pk__in={row.actor for row in rows}).values_list("pk", "name"))
    said = {
        "unmask.approved": _("%(name)s approved your request to see a customer's full addresses"),
        "unmask.refused": _("%(name)s refused your request to see a customer's full addresses"),
    }
    return {
        str(row.pk): Line(
            text=said[row.kind] % {"name": names.get(UUID(row.actor), "")},
            path=reverse("crm_contact_guard:conversation", args=[row.conversation_id]),
            since=row.recorded_at,
            asks=_("The answer is on the conversation's page, in the customer's card:"),
        )
        for row in rows
    }


topics.register(
    topics.Topic(
        name=ANSWER,
        label=gettext_lazy("An answer to your request to see full addresses"),
        many=gettext_lazy("Answers to your requests to see full addresses"),
        lines=_answers,
        cadence=Cadence.AT_ONCE,
        roles=frozenset({Role.COMPLIANCE}),
    )
)
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
