"""``exports/``: bundles that a worker writes, their progress, decisions on them, and their download."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from crm_contact_guard.api import filters, once
from crm_contact_guard.api.base import GuardView, one_or_404, require
from crm_contact_guard.api.pagination import PARAMETERS
from crm_contact_guard.api.schema import ID, PROBLEMS, answers, described
from crm_contact_guard.api.serializers.exports import ExportSerializer, OpenExportSerializer, RefuseExportSerializer
from crm_contact_guard.api.serializers.inputs import NothingSerializer
from crm_contact_guard.exports.bundle_rows import Filters
from crm_contact_guard.exports.jobs import requesting, rights
from crm_contact_guard.exports.jobs.handing_out import export_download
from crm_contact_guard.exports.jobs.models import ExportJob
from crm_contact_guard.exports.profiles import Profile

EXPORT_FILTERS: filters.Filters = {
    "state": filters.code("state", ExportJob.State),
    "requested_by": filters.row("requested_by_id"),
    **filters.times("requested_at"),
}
_RANGE: Final = OpenApiParameter(
    "Range", OpenApiTypes.STR, OpenApiParameter.HEADER, description="One range of bytes (RFC 9110 §14)."
)


class _Export(GuardView):
    reading = writing = "export"
    serializer_class = ExportSerializer

    def rows(self) -> QuerySet[ExportJob]:
        """Return the exports that the caller may see. Raise NotPermitted if the caller doesn't read the record."""
        require(rights.may_read_exports(self.viewer), _("Compliance officers and auditors export the record."))
        return rights.jobs(self.viewer).select_related("requested_by", "decided_by")

    def answer(self, pk: UUID | str) -> Response:
        """Return one export."""
        return Response(ExportSerializer(one_or_404(self.rows(), str(pk))).data)


class ExportList(_Export):
    """List the exports so far, newest first; or start one."""

    @described(
        operation_id="exports_list",
        parameters=filters.parameters(EXPORT_FILTERS),
        responses=answers(ExportSerializer(many=True), 400, 401, 403),
    )
    def get(self, request: Request) -> Response:
        chosen = filters.read(request, EXPORT_FILTERS, also=PARAMETERS)
        page = self.paginate_queryset(self.rows().filter(**chosen.lookups))
        return self.get_paginated_response(ExportSerializer(page, many=True).data)

    @described(
        operation_id="exports_create",
        parameters=[once.KEY],
        request=OpenExportSerializer,
        responses={200: ExportSerializer, 201: ExportSerializer, **PROBLEMS(400, 401, 403, 413, 415, 422)},
    )
    def post(self, request: Request) -> Response:
        filters.read(request, {})
        require(rights.may_export(self.viewer), _("You may not export the record."))
        given = OpenExportSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        chosen: dict[str, Any] = dict(given.validated_data)

        def make() -> UUID:
            job = requesting.export_request(
                actor=self.viewer,
                purpose=chosen["purpose"],
                filters=Filters(**chosen.get("filters", {})),
                formats=chosen.get("formats", ()),
                profile=chosen.get("profile", Profile.MASKED),
                attachments=chosen["attachments"],
            )
            return job.pk

        pk, code = once.created(request, self.viewer, "exports_create", make)
        response = self.answer(pk)
        response.status_code = code
        return response


class ExportDetail(_Export):
    """Return one export and how far it is."""

    @described(operation_id="exports_retrieve", parameters=[ID], responses=answers(ExportSerializer, 401, 403, 404))
    def get(self, request: Request, pk: str) -> HttpResponseBase:
        filters.read(request, {})
        return self.conditional(self.answer(pk).data)


class ExportDownload(_Export):
    """Download a finished bundle. A download that broke off can be resumed with ``Range`` and ``If-Range``."""

    @described(
        operation_id="exports_download",
        parameters=[ID, _RANGE],
        responses={
            (200, "application/zip"): OpenApiTypes.BINARY,
            (206, "application/zip"): OpenApiTypes.BINARY,
            **PROBLEMS(401, 403, 404, 409),
        },
    )
    def get(self, request: Request, pk: str) -> HttpResponseBase:
        filters.read(request, {})
        job = one_or_404(self.rows(), pk)
        return export_download(job_id=job.pk, actor=self.viewer, headers=request.headers)


class _Act(_Export):
    http_method_names = ["post", "options"]

    def act(self, pk: str, service: Callable[..., ExportJob], **more: str) -> Response:
        """Call the service for the export in the URL and return the export."""
        job = one_or_404(self.rows(), pk)
        service(job_id=job.pk, actor=self.viewer, **more)
        return self.answer(pk)

    def act_alone(self, request: Request, pk: str, service: Callable[..., ExportJob]) -> Response:
        """Call a service that needs nothing but the export. Refuse requests that contain anything."""
        filters.read(request, {})
        NothingSerializer(data=request.data).is_valid(raise_exception=True)
        return self.act(pk, service)


class ExportApprove(_Act):
    """Approve an export of somebody else, which then starts."""

    @described(
        operation_id="exports_approve",
        parameters=[ID],
        request=None,
        responses=answers(ExportSerializer, 400, 401, 403, 404, 409),
    )
    def post(self, request: Request, pk: str) -> HttpResponseBase:
        return self.act_alone(request, pk, requesting.export_approve)


class ExportRefuse(_Act):
    """Refuse an export of somebody else with a reason."""

    @described(
        operation_id="exports_refuse",
        parameters=[ID],
        request=RefuseExportSerializer,
        responses=answers(ExportSerializer, 400, 401, 403, 404, 409, 413, 415),
    )
    def post(self, request: Request, pk: str) -> HttpResponseBase:
        filters.read(request, {})
        job = one_or_404(self.rows(), pk)
        require(rights.may_decide(self.viewer, job), _("Another compliance officer has to decide on this export."))
        given = RefuseExportSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        return self.act(pk, requesting.export_refuse, reason=given.validated_data["reason"])


class ExportCancel(_Act):
    """Cancel an unfinished export. Nothing of it is kept."""

    @described(
        operation_id="exports_cancel",
        parameters=[ID],
        request=None,
        responses=answers(ExportSerializer, 400, 401, 403, 404, 409),
    )
    def post(self, request: Request, pk: str) -> HttpResponseBase:
        return self.act_alone(request, pk, requesting.export_cancel)
