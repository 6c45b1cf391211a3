"""``conversations/<id>/call/``: POST rings the employee's telephone first and then the customer's."""

from __future__ import annotations

from uuid import uuid4

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from crm_contact_guard import calling
from crm_contact_guard.api import filters
from crm_contact_guard.api.base import GuardView, one_or_404
from crm_contact_guard.api.once import IDEMPOTENCY_KEY, key_of
from crm_contact_guard.api.schema import ID, PROBLEMS, described
from crm_contact_guard.api.serializers.calls import CallSerializer, PlacedSerializer
from crm_contact_guard.api.views.conversations import conversation_rows


class ConversationCall(GuardView):
    """Call the customer. Only the carrier receives the number. The finished call is recorded as a note."""

    serializer_class = PlacedSerializer
    pagination_class = None

    @described(
        operation_id="conversations_call",
        parameters=[
            ID,
            OpenApiParameter(
                IDEMPOTENCY_KEY,
                OpenApiTypes.STR,
                OpenApiParameter.HEADER,
                description="Your own key of this call: repeating it rings nobody again.",
            ),
        ],
        request=CallSerializer,
        responses={202: PlacedSerializer, **PROBLEMS(400, 401, 403, 404, 413, 415)},
    )
    def post(self, request: Request, pk: str) -> Response:
        filters.read(request, {})
        row = one_or_404(conversation_rows(self), pk)
        given = CallSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        channel = given.validated_data["channel"] or next((line.alias for line in calling.lines(row)), "")
        key = f"api:{key_of(request)}" if key_of(request) else uuid4().hex
        placed = calling.call(actor=self.viewer, conversation=row, channel=channel, key=key)
        answer = PlacedSerializer({"channel": channel, "repeated": not placed})
        return Response(answer.data, status=status.HTTP_202_ACCEPTED)
