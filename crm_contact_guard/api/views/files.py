"""``files/<id>/``: a file belonging to a message; ``templates/``: approved text blocks."""

from __future__ import annotations

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request
from rest_framework.response import Response

from crm_contact_guard.api import filters
from crm_contact_guard.api.base import GuardView
from crm_contact_guard.api.schema import ID, PROBLEMS, UNMASK_REASON, answers, described
from crm_contact_guard.api.serializers.templates import TemplateSerializer
from crm_contact_guard.files.responses import hand_out
from crm_contact_guard.policy.templates import all_templates
from crm_contact_guard.viewing.files import file_open


class File(GuardView):
    """Download a file. An original email as received requires the permission to unmask addresses, and a reason."""

    serializer_class = TemplateSerializer

    @described(
        operation_id="files_retrieve",
        parameters=[ID, UNMASK_REASON],
        responses={(200, "*/*"): OpenApiTypes.BINARY, **PROBLEMS(400, 401, 403, 404)},
    )
    def get(self, request: Request, pk: str) -> HttpResponseBase:
        filters.read(request, {}, also=(UNMASK_REASON.name,))
        return hand_out(file_open(self.viewer, pk, "api.file", request.query_params.get(UNMASK_REASON.name, "")))


class TemplateList(GuardView):
    """List the company's approved text blocks."""

    serializer_class = TemplateSerializer
    pagination_class = None

    @described(operation_id="templates_list", responses=answers(TemplateSerializer(many=True), 401, 403))
    def get(self, request: Request) -> Response:
        filters.read(request, {})
        return Response(TemplateSerializer(all_templates(), many=True).data)
