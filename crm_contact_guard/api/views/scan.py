"""``scan/``: what would happen if I sent this? Nothing is recorded, since a thought is not an act."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from crm_contact_guard import gateway
from crm_contact_guard.api import filters
from crm_contact_guard.api.base import GuardView
from crm_contact_guard.api.schema import answers, described
from crm_contact_guard.api.serializers.messages import PreviewSerializer, TextSerializer


class Scan(GuardView):
    """Try a text out."""

    serializer_class = PreviewSerializer

    @described(
        operation_id="scan",
        request=TextSerializer,
        responses=answers(PreviewSerializer, 400, 401, 403, 413, 415),
    )
    def post(self, request: Request) -> Response:
        filters.read(request, {})
        given = TextSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        looked = gateway.preview(actor=self.viewer, text=data["text"], emergency=data["emergency"])
        return Response(PreviewSerializer(looked).data)
