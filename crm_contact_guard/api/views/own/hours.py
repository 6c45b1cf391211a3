"""``hours/``: when the caller and those colleagues work whose hours the caller may see."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpResponseBase
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from crm_contact_guard import permissions
from crm_contact_guard.api import filters, pagination
from crm_contact_guard.api.base import GuardView, one_or_404
from crm_contact_guard.api.schema import ID, answers, described
from crm_contact_guard.api.serializers.hours import HoursSerializer
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.policy import hours

FILTERS: filters.Filters = {"team": filters.row("teams")}


class HoursList(GuardView):
    """List the working time of active employees whose hours the caller may see: state, next opening, and today."""

    serializer_class = HoursSerializer

    @described(
        operation_id="hours_list",
        parameters=filters.parameters(FILTERS),
        responses=answers(HoursSerializer(many=True), 400, 401, 403),
    )
    def get(self, request: Request) -> Response:
        chosen = filters.read(request, FILTERS, also=pagination.PARAMETERS)
        people = permissions.hours_seen(self.viewer)
        people = people.filter(pk__in=Employee.objects.filter(**chosen.lookups).values("pk"))
        now = timezone.now()
        page = [_now(person, now) for person in self.paginate_queryset(people) or ()]
        return self.get_paginated_response(HoursSerializer(page, many=True).data)


class HoursDetail(GuardView):
    """Return the working time of one employee."""

    serializer_class = HoursSerializer

    @described(operation_id="hours_retrieve", parameters=[ID], responses=answers(HoursSerializer, 400, 401, 403, 404))
    def get(self, request: Request, pk: str) -> HttpResponseBase:
        filters.read(request, {})
        person = one_or_404(permissions.hours_seen(self.viewer), pk)
        return Response(HoursSerializer(_now(person, timezone.now())).data)


def _now(person: Employee, at: datetime) -> dict[str, Any]:
    told: dict[str, Any] = {"employee": person, "zone": hours.zone(person).key, "at": at, "problem": ""}
    try:
        found = hours.working_time_of(person)
        with hours.unknown_calendars_named():
            state = found.state(at)
            return {
                **told,
                "state": state,
                "after_hours": state.is_after_hours,
                "next_open_at": None if state.is_open else found.next_open(at),
                "today": found.shown_day(at.astimezone(found.zone).date()),
            }
    except ConfigurationError as error:
        nothing = dict.fromkeys(("state", "after_hours", "next_open_at", "today"))
        return {**told, **nothing, "problem": str(error)}
