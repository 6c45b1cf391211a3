"""``conversations/``: list conversations, retrieve one, list its messages, and send a message."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from crm_contact_guard import gateway, permissions
from crm_contact_guard.api import filters, pagination, wire
from crm_contact_guard.api.base import GuardView, one_or_404
from crm_contact_guard.api.once import IDEMPOTENCY_KEY, key_of
from crm_contact_guard.api.problems import problem
from crm_contact_guard.api.schema import ID, PROBLEMS, UNMASK, UNMASK_REASON, UNMASKING, answers, described
from crm_contact_guard.api.serializers.conversations import ConversationDetailSerializer, ConversationSerializer
from crm_contact_guard.api.serializers.messages import (
    KeptBackSerializer,
    MessageSerializer,
    OutgoingSerializer,
    OutgoingWithFilesSerializer,
    ScanFindingSerializer,
    SentSerializer,
)
from crm_contact_guard.api.views.messages import MESSAGE_FILTERS, given_messages, message_rows, message_url, unmask
from crm_contact_guard.channels import registry
from crm_contact_guard.files import uploads
from crm_contact_guard.policy.decision import Action, OverrideCode
from crm_contact_guard.record import access
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.supervision.watching.pseudonyms import veil_talks

CONVERSATION_FILTERS: filters.Filters = {
    "customer": filters.row("customer_id"),
    "employee": filters.row("employee_id"),
    "team": filters.row("team_id"),
    "channel": filters.text("channel"),
    "state": filters.code("state", Conversation.State),
    **filters.times("created_at", "last_message_at", "waiting_since"),
}


def conversation_rows(view: GuardView) -> QuerySet[Conversation]:
    """Return the conversations the viewer may read, joined with the rows whose names are shown."""
    return permissions.conversations(view.viewer).select_related("customer", "employee", "team")


class ConversationList(GuardView):
    """List the conversations the caller may read, newest first."""

    serializer_class = ConversationSerializer

    @described(
        operation_id="conversations_list",
        parameters=filters.parameters(CONVERSATION_FILTERS),
        responses=answers(ConversationSerializer(many=True), 400, 401, 403),
    )
    def get(self, request: Request) -> Response:
        chosen = filters.read(request, CONVERSATION_FILTERS, also=pagination.PARAMETERS)
        page = self.paginate_queryset(conversation_rows(self).filter(**chosen.lookups)) or []
        veil_talks(self.viewer, page)
        return self.get_paginated_response(ConversationSerializer(page, many=True).data)


class ConversationDetail(GuardView):
    """Return one conversation with the customer's addresses."""

    serializer_class = ConversationDetailSerializer

    @described(
        operation_id="conversations_retrieve",
        parameters=[ID, UNMASK, UNMASK_REASON],
        responses=answers(ConversationDetailSerializer, 400, 401, 403, 404),
    )
    def get(self, request: Request, pk: str) -> HttpResponseBase:
        filters.read(request, {}, also=UNMASKING)
        rows = conversation_rows(self).prefetch_related("customer__addresses")
        conversation = one_or_404(rows, pk)
        why = unmask(self)
        if why:
            access.record_unmask(viewer=self.viewer, conversation=conversation, reason=why)
        hidden = {} if why else veil_talks(self.viewer, [conversation])
        context = {"unmask": bool(why), "hidden": bool(hidden)}
        return self.conditional(ConversationDetailSerializer(conversation, context=context).data)


class ConversationMessages(GuardView):
    """GET lists the messages of one conversation. POST sends a message to the customer."""

    serializer_class = MessageSerializer
    parser_classes = (wire.JsonBody, wire.JsonWithFiles)
    keyset = pagination.BY_TIME

    @described(
        operation_id="conversations_messages_list",
        parameters=[ID, UNMASK, UNMASK_REASON, *filters.parameters(MESSAGE_FILTERS)],
        responses=answers(MessageSerializer(many=True), 400, 401, 403, 404),
    )
    def get(self, request: Request, pk: str) -> Response:
        chosen = filters.read(request, MESSAGE_FILTERS, also=(*pagination.PARAMETERS, *UNMASKING))
        conversation = one_or_404(conversation_rows(self), pk)
        rows = message_rows(self).filter(conversation=conversation)
        page = self.paginate_queryset(rows.filter(**chosen.lookups)) or []
        return self.get_paginated_response(given_messages(self, page, purpose="api.conversation"))

    @described(
        operation_id="conversations_messages_send",
        parameters=[
            ID,
            OpenApiParameter(
                IDEMPOTENCY_KEY,
                OpenApiTypes.STR,
                OpenApiParameter.HEADER,
                description="Your own key of this send: repeating it gives the first message again, with 200.",
            ),
        ],
        request={"application/json": OutgoingSerializer, "multipart/form-data": OutgoingWithFilesSerializer},
        responses={
            200: SentSerializer,
            201: SentSerializer,
            (409, "application/problem+json"): KeptBackSerializer,
            **PROBLEMS(400, 401, 403, 404, 413, 415, 422),
        },
    )
    def post(self, request: Request, pk: str) -> Response:
        filters.read(request, {})
        conversation = one_or_404(conversation_rows(self), pk)
        uploaded = request.FILES.getlist("files")
        # Django REST framework adds the files of a multipart body to the JSON data; only the data is validated here.
        words = {name: value for name, value in dict(request.data).items() if name not in request.FILES}
        given = OutgoingSerializer(data=words, context={"files": uploaded})
        given.is_valid(raise_exception=True)
        data = given.validated_data
        alias = data["channel"] or conversation.channel
        check_channel(alias)
        sent = gateway.send(
            actor=self.viewer,
            conversation=conversation,
            text=data["text"],
            channel=data["channel"],
            subject=data["subject"],
            attachments=uploads.read(uploaded, registry.channel(alias)),
            template=given.template_given(),
            emergency=data["emergency"],
            send_at=data["send_at"],
            override=given.override_given(),
            idempotency_key=key_of(request),
        )
        if sent.message is None:
            return _kept_back(sent)
        answer = SentSerializer({"message": sent.message, "decision": sent.decision})
        return Response(
            answer.data,
            status=status.HTTP_200_OK if sent.repeated else status.HTTP_201_CREATED,
            headers={"Location": message_url(request, sent.message)},
        )


def check_channel(alias: str) -> None:
    """Raise ValidationError for an unknown channel alias, since here the caller is at fault, not the configuration."""
    if alias not in registry.aliases():
        known = ", ".join(registry.aliases())
        raise ValidationError(
            {"channel": [_("There is no channel %(alias)s. Known: %(known)s.") % {"alias": alias, "known": known}]}
        )


def _kept_back(sent: gateway.Sent) -> Response:
    """Return the response for a message that the company's rules kept back: 409, with the options for continuing."""
    nudge = sent.decision.action is Action.NUDGE
    detail = _("Nothing was sent. Keep the talk on the company's channels, or change the text.")
    if nudge:
        detail = _("Nothing was sent yet. Change the text, or send it again with an override that says why.")
    if sent.decision.reasons == ("after_hours",):
        detail = _("Nothing was sent: it is outside your working hours. Send later, or mark a real emergency.")
    if sent.decision.reasons == ("quiet_hours",):
        detail = _("Nothing was sent: these are the customer's quiet hours. Send later, or mark a real emergency.")
    found = [{"place": "", **one} for one in ScanFindingSerializer(sent.scan.findings, many=True).data]
    for content in sent.files:
        found += [
            {"place": content.place, **one} for one in ScanFindingSerializer(content.scan.findings, many=True).data
        ]
    more: dict[str, Any] = {
        "decision": {"action": sent.decision.action.value, "reasons": list(sent.decision.reasons)},
        "findings": found,
        "overrides": [code.value for code in OverrideCode] if nudge else [],
    }
    return problem(sent.decision.action.value, status_code=status.HTTP_409_CONFLICT, detail=detail, **more)
