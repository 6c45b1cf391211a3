"""``messages/``: messages from all conversations the caller may read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from crm_contact_guard import permissions
from crm_contact_guard.api import filters, pagination
from crm_contact_guard.api.base import GuardView, one_or_404
from crm_contact_guard.api.schema import ID, UNMASK, UNMASK_REASON, UNMASKING, answers, described
from crm_contact_guard.api.serializers.inputs import NothingSerializer
from crm_contact_guard.api.serializers.messages import MessageSerializer
from crm_contact_guard.hosting import database
from crm_contact_guard.record import access
from crm_contact_guard.record.models import Direction, Message, MessageKind
from crm_contact_guard.sending import recalling
from crm_contact_guard.supervision.showing import stored_findings
from crm_contact_guard.supervision.watching.pseudonyms import veil_talks

MESSAGE_FILTERS: filters.Filters = {
    "employee": filters.row("employee_id"),
    "customer": filters.row("customer_id"),
    "direction": filters.code("direction", Direction),
    "channel": filters.text("channel"),
    "kind": filters.code("kind", MessageKind),
    **filters.times("occurred_at", "recorded_at"),
}
ALL_MESSAGE_FILTERS: filters.Filters = {"conversation": filters.row("conversation_id"), **MESSAGE_FILTERS}


def message_rows(view: GuardView) -> QuerySet[Message]:
    """Return the messages the viewer may read, with the related rows for serializing them and recording the view."""
    return (
        permissions.messages(view.viewer)
        .select_related("conversation__customer", "conversation__employee", "delivery", "wait")
        .prefetch_related("attachments")
    )


def unmask(view: GuardView) -> str:
    """Return why the caller requests raw addresses and sensitive data; "" if they don't.

    Raises NotPermitted if they may not see them, and InvalidMessage if they give no reason.
    """
    if not filters.flag(view.request, "unmask"):
        return ""
    return access.unmask_reason(view.viewer, view.request.query_params.get(UNMASK_REASON.name, ""))


def given_messages(view: GuardView, messages: Sequence[Message], *, purpose: str) -> Any:
    """Return the messages serialized. If the viewer is outside a conversation, first record one view of it."""
    why = unmask(view)
    read = {message.conversation_id: message.conversation for message in messages}
    own = set(permissions.own_conversations(view.viewer).filter(pk__in=read).values_list("pk", flat=True))
    with database.atomic():
        for key, conversation in read.items():
            if key not in own and conversation.employee_id != view.viewer.pk:
                access.record_view(viewer=view.viewer, conversation=conversation, purpose=purpose)
            if why:
                access.record_unmask(viewer=view.viewer, conversation=conversation, reason=why)
    stored = {} if why else stored_findings([message.pk for message in messages])
    veils = {} if why else veil_talks(view.viewer, read.values())
    context = {"unmask": bool(why), "sensitive": stored, "veils": veils}
    return MessageSerializer(messages, many=True, context=context).data


def message_url(request: Request, message: Message) -> str:
    """Return the absolute URL of one message."""
    return request.build_absolute_uri(reverse("crm_contact_guard:api-message", args=[message.pk]))


class MessageList(GuardView):
    """List the messages of all conversations the caller may read, most recently recorded first."""

    serializer_class = MessageSerializer
    keyset = pagination.BY_RECORD

    @described(
        operation_id="messages_list",
        parameters=[UNMASK, UNMASK_REASON, *filters.parameters(ALL_MESSAGE_FILTERS)],
        responses=answers(MessageSerializer(many=True), 400, 401, 403),
    )
    def get(self, request: Request) -> Response:
        chosen = filters.read(request, ALL_MESSAGE_FILTERS, also=(*pagination.PARAMETERS, *UNMASKING))
        page = self.paginate_queryset(message_rows(self).filter(**chosen.lookups)) or []
        return self.get_paginated_response(given_messages(self, page, purpose="api.messages"))


class MessageDetail(GuardView):
    """Return one message."""

    serializer_class = MessageSerializer

    @described(
        operation_id="messages_retrieve",
        parameters=[ID, UNMASK, UNMASK_REASON],
        responses=answers(MessageSerializer, 400, 401, 403, 404),
    )
    def get(self, request: Request, pk: str) -> HttpResponseBase:
        filters.read(request, {}, also=UNMASKING)
        message = one_or_404(message_rows(self), pk)
        return self.conditional(given_messages(self, [message], purpose="api.message")[0])


class MessageRecall(GuardView):
    """Take back one of the caller's messages before it goes out."""

    serializer_class = MessageSerializer
    http_method_names = ["post", "options"]

    @described(
        operation_id="messages_recall",
        parameters=[ID],
        request=None,
        responses=answers(MessageSerializer, 400, 401, 403, 404, 409),
    )
    def post(self, request: Request, pk: str) -> Response:
        filters.read(request, {})
        NothingSerializer(data=request.data).is_valid(raise_exception=True)
        message = one_or_404(message_rows(self), pk)
        recalling.recall(actor=self.viewer, message_id=message.pk)
        return Response(given_messages(self, [one_or_404(message_rows(self), pk)], purpose="api.message")[0])
