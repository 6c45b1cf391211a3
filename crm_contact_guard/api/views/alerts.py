"""``alerts/`` and ``findings/``. Nobody can see an alert that concerns them."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from crm_contact_guard import permissions
from crm_contact_guard.api import filters, pagination
from crm_contact_guard.api.base import GuardView, one_or_404, require
from crm_contact_guard.api.schema import ID, answers, described
from crm_contact_guard.api.serializers.alerts import (
    AlertDetailSerializer,
    AlertSerializer,
    FindingSerializer,
    TierField,
)
from crm_contact_guard.supervision.handling.alike import alike
from crm_contact_guard.supervision.models import Alert, FindingKind, Severity, Side, Stance, Topic
from crm_contact_guard.supervision.watching.pseudonyms import veil

ALERT_FILTERS: filters.Filters = {
    "conversation": filters.row("conversation_id"),
    "concerned": filters.row("concerned_id"),
    "addressee": filters.row("addressee_id"),
    "team": filters.row("team_id"),
    "topic": filters.code("topic", Topic),
    "kind": filters.code("kind", FindingKind),
    "by": filters.code("by", Side),
    "stance": filters.code("stance", Stance),
    "severity": filters.code("severity", Severity),
    "status": filters.code("status", Alert.Status),
    "resolution": filters.code("resolution", Alert.Resolution),
    **filters.times("opened_at", "updated_at", "closed_at"),
}
FINDING_FILTERS: filters.Filters = {
    "alert": filters.row("alert_id"),
    "message": filters.row("message_id"),
    "tier": filters.Filter(lookup="alert__isnull", field=TierField()),
    "kind": filters.code("kind", FindingKind),
    "stance": filters.code("stance", Stance),
    "by": filters.code("by", Side),
    "detector": filters.text("detector"),
    "version": filters.text("version"),
    **filters.times("created_at"),
}


def alert_rows(view: GuardView) -> QuerySet[Alert]:
    """Return the alerts the viewer may see, joined with the rows whose names are shown."""
    return permissions.alerts(view.viewer).select_related(
        "conversation__customer", "conversation__employee", "concerned", "addressee", "team", "claimed_by", "closed_by"
    )


class AlertList(GuardView):
    """List the alerts the caller may see, newest first."""

    serializer_class = AlertSerializer

    @described(
        operation_id="alerts_list",
        parameters=filters.parameters(ALERT_FILTERS),
        responses=answers(AlertSerializer(many=True), 400, 401, 403),
    )
    def get(self, request: Request) -> Response:
        chosen = filters.read(request, ALERT_FILTERS, also=pagination.PARAMETERS)
        page = self.paginate_queryset(alert_rows(self).filter(**chosen.lookups)) or []
        veil(self.viewer, page)
        return self.get_paginated_response(AlertSerializer(page, many=True).data)


class AlertDetail(GuardView):
    """Return one alert with its findings and history."""

    serializer_class = AlertDetailSerializer

    @described(
        operation_id="alerts_retrieve",
        parameters=[ID],
        responses=answers(AlertDetailSerializer, 400, 401, 403, 404),
    )
    def get(self, request: Request, pk: str) -> HttpResponseBase:
        filters.read(request, {})
        return self.conditional(self.given(pk))

    def given(self, row_id: str) -> object:
        """Read the alert from the database and return it serialized."""
        row = one_or_404(alert_rows(self).prefetch_related("findings"), row_id)
        same = [one.pk for one in alike(row, self.viewer)] if permissions.may_review(self.viewer, row) else []
        hidden = veil(self.viewer, [row]).get(row.pk)
        return AlertDetailSerializer(row, context={"hidden": hidden, "alike": same}).data

    def reviewed(self, row_id: str) -> Alert:
        """Return the alert. Raises NotPermitted if the viewer may read it but not work on it."""
        alert = one_or_404(alert_rows(self), row_id)
        require(permissions.may_review(self.viewer, alert), _("You may read this alert, but not work on it."))
        return alert


class FindingList(GuardView):
    """List findings, newest first.

    The list contains the findings of alerts the caller may see, and findings without an alert in conversations the
    caller supervises.
    """

    serializer_class = FindingSerializer

    @described(
        operation_id="findings_list",
        parameters=filters.parameters(FINDING_FILTERS),
        responses=answers(FindingSerializer(many=True), 400, 401, 403),
    )
    def get(self, request: Request) -> Response:
        chosen = filters.read(request, FINDING_FILTERS, also=pagination.PARAMETERS)
        page = self.paginate_queryset(permissions.findings(self.viewer).filter(**chosen.lookups))
        return self.get_paginated_response(FindingSerializer(page, many=True).data)
