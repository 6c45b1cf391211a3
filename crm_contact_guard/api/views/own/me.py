"""``me/``: what is recorded and flagged about the caller, and what the caller says about it."""

from __future__ import annotations

from typing import Final

from django.db.models import QuerySet
from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from crm_contact_guard.api import filters
from crm_contact_guard.api.base import GuardView, one_or_404
from crm_contact_guard.api.schema import ID, PROBLEMS, answers, described
from crm_contact_guard.api.serializers.me import FlagDetailSerializer, MeSerializer, OwnRemarkSerializer
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.own_view.remarks import flag_remark
from crm_contact_guard.supervision.own_view.seeing import own_flags, own_refusals

#: Number of alerts listed.
LISTED: Final = 100


def _flags(view: GuardView) -> QuerySet[Alert]:
    return own_flags(view.viewer).select_related("conversation__customer")


class Me(GuardView):
    """Return what stands to the caller's credit, and the newest alerts that concern the caller."""

    serializer_class = MeSerializer
    pagination_class = None

    @described(operation_id="me_retrieve", responses=answers(MeSerializer, 400, 401, 403))
    def get(self, request: Request) -> HttpResponseBase:
        filters.read(request, {})
        flags = list(_flags(self).order_by("-opened_at", "-pk")[:LISTED])
        told = {"employee": self.viewer, "refusals": own_refusals(self.viewer), "flags": flags}
        return self.conditional(MeSerializer(told).data)


class MeFlag(GuardView):
    """Return one alert that concerns the caller: why, by which rules and versions, and what the caller said."""

    serializer_class = FlagDetailSerializer

    @described(
        operation_id="me_flags_retrieve", parameters=[ID], responses=answers(FlagDetailSerializer, 400, 401, 403, 404)
    )
    def get(self, request: Request, pk: str) -> HttpResponseBase:
        filters.read(request, {})
        return self.conditional(FlagDetailSerializer(one_or_404(_flags(self), pk)).data)


class MeRemarks(GuardView):
    """Comment on an alert that concerns the caller, or contest it."""

    serializer_class = FlagDetailSerializer

    @described(
        operation_id="me_flags_remark",
        parameters=[ID],
        request=OwnRemarkSerializer,
        responses={201: FlagDetailSerializer, **PROBLEMS(400, 401, 403, 404, 409, 413, 415)},
    )
    def post(self, request: Request, pk: str) -> Response:
        filters.read(request, {})
        row = one_or_404(_flags(self), pk)
        given = OwnRemarkSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        flag_remark(alert_id=row.pk, actor=self.viewer, **given.validated_data)
        return Response(FlagDetailSerializer(one_or_404(_flags(self), pk)).data, status=201)
