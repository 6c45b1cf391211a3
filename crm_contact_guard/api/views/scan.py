"""``scan/``: preview what would happen if a message were sent. Nothing is recorded, since nothing is sent."""

from __future__ import annotations

from dataclasses import asdict

from rest_framework.request import Request
from rest_framework.response import Response

from crm_contact_guard import gateway, permissions
from crm_contact_guard.api import filters
from crm_contact_guard.api.base import GuardView, one_or_404
from crm_contact_guard.api.schema import answers, described
from crm_contact_guard.api.serializers.messages import LimitsSerializer, PreviewSerializer, TextSerializer
from crm_contact_guard.api.views.conversations import check_channel
from crm_contact_guard.channels import registry
from crm_contact_guard.policy.limits import limits


class Scan(GuardView):
    """Scan text without sending or recording it."""

    writing = "read"
    serializer_class = PreviewSerializer

    @described(
        operation_id="scan",
        request=TextSerializer,
        responses=answers(PreviewSerializer, 400, 401, 403, 404, 413, 415),
    )
    def post(self, request: Request) -> Response:
        filters.read(request, {})
        given = TextSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        looked = gateway.preview(actor=self.viewer, text=data["text"], emergency=data["emergency"])
        answer = dict(PreviewSerializer(looked).data)
        if data["conversation"] is not None:
            rows = permissions.own_conversations(self.viewer).select_related("customer")
            conversation = one_or_404(rows, str(data["conversation"]))
            alias = data["channel"] or conversation.channel
            check_channel(alias)
            channel = registry.channel(alias)
            allowed = {**asdict(limits(conversation, channel)), "length": channel.length(data["text"])}
            answer["limits"] = LimitsSerializer(allowed).data
        return Response(answer)
