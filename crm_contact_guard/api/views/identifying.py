"""``conversations/<id>/customer/``: GET searches for the customer, POST identifies them."""

from __future__ import annotations

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from crm_contact_guard import permissions
from crm_contact_guard.api import filters
from crm_contact_guard.api.base import GuardView, one_or_404, require
from crm_contact_guard.api.schema import ID, answers, described
from crm_contact_guard.api.serializers.conversations import ConversationSerializer
from crm_contact_guard.api.serializers.identifying import IdentificationSerializer
from crm_contact_guard.api.serializers.people import CustomerSerializer
from crm_contact_guard.api.views.conversations import conversation_rows
from crm_contact_guard.conversations.identity import customer_identify
from crm_contact_guard.directory.models import Customer
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.viewing.candidates import candidates


class ConversationCustomer(GuardView):
    """Identify the customer in a conversation whose customer may still be changed.

    GET searches for customers by name. POST links the conversation to one of them.
    """

    serializer_class = ConversationSerializer
    pagination_class = None

    @described(
        operation_id="conversations_customer_search",
        parameters=[
            ID, OpenApiParameter("q", OpenApiTypes.STR, required=True, description="A part of the customer's name.")
        ],
        responses=answers(CustomerSerializer(many=True), 400, 401, 403, 404),
    )  # fmt: skip
    def get(self, request: Request, pk: str) -> Response:
        filters.read(request, {}, also=("q",))
        words = filters.required(request, "q")
        row = self._row(pk)
        found = candidates(self.viewer, words, but=row.customer)
        return Response(CustomerSerializer(found, many=True).data)

    @described(
        operation_id="conversations_customer_link",
        parameters=[ID],
        request=IdentificationSerializer,
        responses=answers(ConversationSerializer, 400, 401, 403, 404, 413, 415),
    )
    def post(self, request: Request, pk: str) -> Response:
        filters.read(request, {})
        row = self._row(pk)
        given = IdentificationSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        chosen = Customer.objects.filter(pk=given.validated_data["customer"], tenant=self.viewer.tenant).first()
        if chosen is None or not permissions.may_identify_as(self.viewer, chosen):
            raise Http404
        customer_identify(conversation=row, customer=chosen, actor=self.viewer, reason=given.validated_data["reason"])
        return Response(ConversationSerializer(Conversation.objects.get(pk=row.pk)).data)

    def _row(self, pk: str) -> Conversation:
        row = one_or_404(conversation_rows(self), pk)
        require(permissions.may_identify_customer(self.viewer, row), _("You can't say who this customer is."))
        return row
