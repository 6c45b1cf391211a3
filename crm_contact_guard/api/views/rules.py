"""``rules/``: read the company's rules, and sign them."""

from __future__ import annotations

from django.db.models import OuterRef, QuerySet, Subquery
from rest_framework.request import Request
from rest_framework.response import Response

from crm_contact_guard.api import filters
from crm_contact_guard.api.base import GuardView, one_or_404
from crm_contact_guard.api.schema import ID, answers, described
from crm_contact_guard.api.serializers.rules import RulesSerializer, SignSerializer
from crm_contact_guard.policy.known_rules.models import Acknowledgement, RulesVersion
from crm_contact_guard.policy.known_rules.publishing import versions
from crm_contact_guard.policy.known_rules.signing import rules_sign


def rules_rows(view: GuardView) -> QuerySet[RulesVersion]:
    """Return the published versions, newest first, with the caller's signature."""
    own = Acknowledgement.objects.filter(version=OuterRef("pk"), employee=view.viewer)
    return versions(view.viewer).annotate(signed_at=Subquery(own.values("signed_at")[:1]))


class RulesList(GuardView):
    """List the published versions, newest first. The one that applies is the first whose ``valid_from`` has passed."""

    serializer_class = RulesSerializer
    pagination_class = None

    @described(operation_id="rules_list", responses=answers(RulesSerializer(many=True), 400, 401, 403))
    def get(self, request: Request) -> Response:
        filters.read(request, {})
        return Response(RulesSerializer(rules_rows(self)[:50], many=True).data)


class RulesSign(GuardView):
    """Sign a version: the caller has read and understood it. A quiz has to be passed first, on the page."""

    serializer_class = RulesSerializer

    @described(
        operation_id="rules_sign",
        parameters=[ID],
        request=SignSerializer,
        responses=answers(RulesSerializer, 400, 401, 403, 404, 413, 415),
    )
    def post(self, request: Request, pk: str) -> Response:
        filters.read(request, {})
        version = one_or_404(versions(self.viewer), pk)
        given = SignSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        rules_sign(signed_by=self.viewer, version=version, digest=given.validated_data["digest"])
        return Response(RulesSerializer(one_or_404(rules_rows(self), pk)).data)
