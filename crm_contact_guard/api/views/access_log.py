"""``access-log/``: who viewed, unmasked, searched or exported content."""

from __future__ import annotations

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from crm_contact_guard import permissions
from crm_contact_guard.api import filters, pagination
from crm_contact_guard.api.base import GuardView, require
from crm_contact_guard.api.schema import answers, described
from crm_contact_guard.api.serializers.access_log import AccessSerializer
from crm_contact_guard.directory.models import Employee

ACCESS_FILTERS: filters.Filters = {
    "kind": filters.text("kind"),
    "conversation": filters.row("conversation_id"),
    "actor": filters.row("actor"),
    **filters.times("recorded_at"),
}


class AccessLog(GuardView):
    """List accesses to content, newest first. Only compliance officers and auditors may read the list."""

    serializer_class = AccessSerializer
    keyset = pagination.BY_RECORD

    @described(
        operation_id="access_log_list",
        parameters=filters.parameters(ACCESS_FILTERS),
        responses=answers(AccessSerializer(many=True), 400, 401, 403),
    )
    def get(self, request: Request) -> Response:
        may = permissions.may_read_record(self.viewer)
        require(may, _("Only compliance officers and auditors read the access log."))
        chosen = filters.read(request, ACCESS_FILTERS, also=pagination.PARAMETERS)
        page = self.paginate_queryset(permissions.access_log(self.viewer).filter(**chosen.lookups)) or []
        actors = {event.actor for event in page if event.actor}
        people = Employee.objects.filter(tenant=self.viewer.tenant, pk__in=actors)
        names = {str(person.pk): person.name for person in people}
        return self.get_paginated_response(AccessSerializer(page, many=True, context={"names": names}).data)
