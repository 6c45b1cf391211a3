"""``figures/``: counts per day and team, as the page of figures shows them. Read only."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from crm_contact_guard.api import filters
from crm_contact_guard.api.base import GuardView
from crm_contact_guard.api.problems import InvalidQuery
from crm_contact_guard.api.schema import answers, described
from crm_contact_guard.api.serializers.figures import FiguresSerializer
from crm_contact_guard.directory.models import Team
from crm_contact_guard.exceptions import NotPermitted
from crm_contact_guard.figures import showing

PARAMETERS = ("team", "since", "until")


class FiguresView(GuardView):
    """Return the figures from ``since`` to ``until``, both included, of one team or of all that the caller may see."""

    serializer_class = FiguresSerializer
    pagination_class = None

    @described(
        operation_id="figures_retrieve",
        parameters=[
            OpenApiParameter("team", OpenApiTypes.UUID),
            OpenApiParameter("since", OpenApiTypes.DATE),
            OpenApiParameter("until", OpenApiTypes.DATE),
        ],
        responses=answers(FiguresSerializer, 400, 401, 403),
    )
    def get(self, request: Request) -> Response:
        filters.read(request, {}, also=PARAMETERS)
        if not showing.may_see_figures(self.viewer):
            raise NotPermitted(_("Figures are for supervisors, compliance officers and auditors."))
        first, last = showing.period()
        last = min(_day(request, "until") or last, last)
        first = _day(request, "since") or last - timedelta(days=showing.DAYS - 1)
        if not timedelta() <= last - first < timedelta(days=showing.MOST_DAYS):
            most = {"most": showing.MOST_DAYS}
            raise InvalidQuery("since", _("Choose a period of 1 to %(most)d days that has begun.") % most)
        found = showing.figures(viewer=self.viewer, first=first, last=last, team=self._team(request))
        return Response(FiguresSerializer(found).data)

    def _team(self, request: Request) -> Team | None:
        given = request.query_params.get("team")
        if not given:
            return None
        try:
            key = UUID(given)
        except ValueError:
            raise InvalidQuery("team", _("There is no such team among yours.")) from None
        team = next((one for one in showing.teams(self.viewer) if one.pk == key), None)
        if team is None:
            raise InvalidQuery("team", _("There is no such team among yours."))
        return team


def _day(request: Request, name: str) -> date | None:
    given = request.query_params.get(name)
    try:
        return date.fromisoformat(given) if given else None
    except ValueError:
        raise InvalidQuery(name, _("Write a day such as 2026-11-24.")) from None
