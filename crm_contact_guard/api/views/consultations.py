"""``consultations/``: employees ask for help with a customer. Only those with a part in one see it."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from crm_contact_guard import permissions
from crm_contact_guard.api import filters, once, pagination
from crm_contact_guard.api.base import GuardView, one_or_404, require
from crm_contact_guard.api.schema import ID, answers, described
from crm_contact_guard.api.serializers.consultations import (
    ConsultationCloseSerializer,
    ConsultationDetailSerializer,
    ConsultationOpenSerializer,
    ConsultationReplySerializer,
    ConsultationSerializer,
)
from crm_contact_guard.api.serializers.inputs import Input
from crm_contact_guard.directory.models import Role
from crm_contact_guard.supervision.consulting.consultations import consultation_close, consultation_reply
from crm_contact_guard.supervision.consulting.models import Consultation
from crm_contact_guard.supervision.consulting.opening import consultation_open

FILTERS: filters.Filters = {
    "conversation": filters.row("conversation_id"),
    "employee": filters.row("employee_id"),
    "addressee": filters.row("addressee_id"),
    "origin": filters.code("origin", Consultation.Origin),
    "status": filters.code("status", Consultation.Status),
    "result": filters.code("result", Consultation.Result),
    **filters.times("opened_at", "updated_at", "closed_at", "follow_up_at"),
}


def _rows(view: GuardView) -> QuerySet[Consultation]:
    require(view.viewer.role != Role.AUDITOR, _("Consultations are between employees and whoever helps them."))
    return permissions.consultations(view.viewer).select_related("conversation__customer", "employee", "addressee")


class ConsultationList(GuardView):
    """List the consultations in which the caller has a part, newest first, or ask for help."""

    serializer_class = ConsultationSerializer

    @described(
        operation_id="consultations_list",
        parameters=filters.parameters(FILTERS),
        responses=answers(ConsultationSerializer(many=True), 400, 401, 403),
    )
    def get(self, request: Request) -> Response:
        chosen = filters.read(request, FILTERS, also=pagination.PARAMETERS)
        page = self.paginate_queryset(_rows(self).filter(**chosen.lookups))
        return self.get_paginated_response(ConsultationSerializer(page, many=True).data)

    @described(
        operation_id="consultations_create",
        parameters=[once.KEY],
        request=ConsultationOpenSerializer,
        responses={
            201: ConsultationDetailSerializer,
            **answers(ConsultationDetailSerializer, 400, 401, 403, 404, 413, 415, 422),
        },
    )
    def post(self, request: Request) -> Response:
        filters.read(request, {})
        given = ConsultationOpenSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        talk = one_or_404(permissions.conversations(self.viewer), str(values.pop("conversation")))
        pk, code = once.created(
            request,
            self.viewer,
            "consultations_create",
            lambda: consultation_open(conversation=talk, actor=self.viewer, **values).pk,
        )
        return Response(ConsultationDetailSerializer(one_or_404(_rows(self), str(pk))).data, status=code)


class ConsultationDetail(GuardView):
    """Return one consultation with its course."""

    serializer_class = ConsultationDetailSerializer

    @described(
        operation_id="consultations_retrieve",
        parameters=[ID],
        responses=answers(ConsultationDetailSerializer, 400, 401, 403, 404),
    )
    def get(self, request: Request, pk: str) -> HttpResponseBase:
        filters.read(request, {})
        return self.conditional(ConsultationDetailSerializer(one_or_404(_rows(self), pk)).data)

    def act(self, request: Request, pk: str, takes: type[Input], service: Callable[..., object]) -> Response:
        """Call a service with the body's values, and return the consultation as it is afterwards."""
        filters.read(request, {})
        row = one_or_404(_rows(self), pk)
        given = takes(data=request.data)
        given.is_valid(raise_exception=True)
        service(consultation_id=row.pk, actor=self.viewer, **given.validated_data)
        return Response(ConsultationDetailSerializer(one_or_404(_rows(self), pk)).data)


class ConsultationReply(ConsultationDetail):
    """Add a reply, which opens a closed consultation again, or set a date to look at it again."""

    http_method_names = ["post", "options"]

    @described(
        operation_id="consultations_reply",
        parameters=[ID],
        request=ConsultationReplySerializer,
        responses=answers(ConsultationDetailSerializer, 400, 401, 403, 404, 413, 415),
    )
    def post(self, request: Request, pk: str) -> Response:
        return self.act(request, pk, ConsultationReplySerializer, consultation_reply)


class ConsultationClose(ConsultationDetail):
    """Close the consultation with a result."""

    http_method_names = ["post", "options"]

    @described(
        operation_id="consultations_close",
        parameters=[ID],
        request=ConsultationCloseSerializer,
        responses=answers(ConsultationDetailSerializer, 400, 401, 403, 404, 409, 413, 415),
    )
    def post(self, request: Request, pk: str) -> Response:
        return self.act(request, pk, ConsultationCloseSerializer, consultation_close)
