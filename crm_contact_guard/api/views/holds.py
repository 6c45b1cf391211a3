"""``holds/``: messages that wait for the caller's decision, and the decision."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from crm_contact_guard import permissions
from crm_contact_guard.api import filters, pagination
from crm_contact_guard.api.base import GuardView, one_or_404, require
from crm_contact_guard.api.schema import ID, answers, described
from crm_contact_guard.api.serializers.inputs import NothingSerializer
from crm_contact_guard.api.serializers.messages import MessageSerializer, RemarkSerializer
from crm_contact_guard.api.views.messages import given_messages, message_rows
from crm_contact_guard.record.models import Message
from crm_contact_guard.sending.holds import hold_approve, hold_reject, hold_return


def _rows(view: GuardView) -> QuerySet[Message]:
    return message_rows(view).filter(pk__in=permissions.holds(view.viewer).values("message"))


class HoldList(GuardView):
    """List the held messages that the caller may see, except the caller's own."""

    serializer_class = MessageSerializer
    keyset = pagination.BY_RECORD

    @described(operation_id="holds_list", responses=answers(MessageSerializer(many=True), 400, 401, 403))
    def get(self, request: Request) -> Response:
        filters.read(request, {}, also=pagination.PARAMETERS)
        page = self.paginate_queryset(_rows(self)) or []
        return self.get_paginated_response(given_messages(self, page, purpose="api.holds"))


class _Decision(GuardView):
    writing = "review"
    serializer_class = MessageSerializer
    http_method_names = ["post", "options"]

    def message(self, pk: str) -> Message:
        """Return the message in the URL. Raise NotPermitted if the caller may read it but not decide on it."""
        message = one_or_404(message_rows(self), pk)
        wait = getattr(message, "wait", None)
        allowed = wait is not None and permissions.may_decide(self.viewer, wait)
        require(allowed, _("You can't decide on this message."))
        return message

    def decided(self, pk: str, act: Any, **words: str) -> Response:
        """Decide on the message in the URL and return it."""
        act(actor=self.viewer, message_id=self.message(pk).pk, **words)
        return Response(given_messages(self, [one_or_404(message_rows(self), pk)], purpose="api.holds")[0])

    def remark(self, request: Request, pk: str) -> str:
        """Return the words that the caller gave, if the caller may decide."""
        self.message(pk)
        given = RemarkSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        return str(given.validated_data["reason"])


class HoldApprove(_Decision):
    """Let a held message go. Its time is judged once more."""

    @described(
        operation_id="holds_approve",
        parameters=[ID],
        request=None,
        responses=answers(MessageSerializer, 400, 401, 403, 404, 409),
    )
    def post(self, request: Request, pk: str) -> HttpResponseBase:
        filters.read(request, {})
        NothingSerializer(data=request.data).is_valid(raise_exception=True)
        return self.decided(pk, hold_approve)


class HoldReturn(_Decision):
    """Return a held message to its writer with a remark."""

    @described(
        operation_id="holds_return",
        parameters=[ID],
        request=RemarkSerializer,
        responses=answers(MessageSerializer, 400, 401, 403, 404, 409, 413, 415),
    )
    def post(self, request: Request, pk: str) -> HttpResponseBase:
        filters.read(request, {})
        return self.decided(pk, hold_return, remark=self.remark(request, pk))


class HoldReject(_Decision):
    """Reject a held message with a reason."""

    @described(
        operation_id="holds_reject",
        parameters=[ID],
        request=RemarkSerializer,
        responses=answers(MessageSerializer, 400, 401, 403, 404, 409, 413, 415),
    )
    def post(self, request: Request, pk: str) -> HttpResponseBase:
        filters.read(request, {})
        return self.decided(pk, hold_reject, reason=self.remark(request, pk))
