"""``cases/``: the caller's cases, and the steps in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from django.http import Http404, HttpResponseBase
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from crm_contact_guard import permissions
from crm_contact_guard.api import filters, once, pagination
from crm_contact_guard.api.base import GuardView, one_or_404
from crm_contact_guard.api.schema import ID, answers, described
from crm_contact_guard.api.serializers.cases import (
    CaseAction,
    CaseDetailSerializer,
    CaseSerializer,
    CaseStepSerializer,
    OpenCaseSerializer,
)
from crm_contact_guard.directory.models import Customer, Employee
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.supervision.cases import deciding, opening, working
from crm_contact_guard.supervision.cases.models import Case, Sort
from crm_contact_guard.supervision.cases.showing import view_of
from crm_contact_guard.viewing.cases import case_view

#: The state isn't a filter: it would tell the employee concerned what is being prepared.
CASE_FILTERS: filters.Filters = {
    "sort": filters.code("sort", Sort),
    "concerned": filters.row("concerned_id"),
    "customer": filters.row("customer_id"),
    "team": filters.row("team_id"),
    **filters.times("opened_at", "closed_at"),
}


class CaseList(GuardView):
    """List the cases in which the caller takes part or which concern the caller, newest first; or open one."""

    writing = "review"
    serializer_class = CaseSerializer

    @described(
        operation_id="cases_list",
        parameters=filters.parameters(CASE_FILTERS),
        responses=answers(CaseSerializer(many=True), 400, 401, 403),
    )
    def get(self, request: Request) -> Response:
        chosen = filters.read(request, CASE_FILTERS, also=pagination.PARAMETERS)
        mine = permissions.cases(self.viewer).values("pk")
        rows = Case.objects.filter(pk__in=mine, **chosen.lookups).select_related("concerned", "customer", "team")
        shown = [view_of(self.viewer, case) for case in self.paginate_queryset(rows) or ()]
        return self.get_paginated_response(CaseSerializer(shown, many=True).data)

    @described(
        operation_id="cases_create",
        parameters=[once.KEY],
        request=OpenCaseSerializer,
        responses={201: CaseDetailSerializer, **answers(CaseDetailSerializer, 400, 401, 403, 404, 413, 415, 422)},
    )
    def post(self, request: Request) -> Response:
        filters.read(request, {})
        given = OpenCaseSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        values["concerned"] = _person(self.viewer, values.get("concerned"), "concerned")
        values["customer"] = _customer(self.viewer, values.get("customer"))
        pk, code = once.created(
            request, self.viewer, "cases_create", lambda: opening.case_open(actor=self.viewer, **values).pk
        )
        case = one_or_404(permissions.cases(self.viewer), str(pk))
        return Response(CaseDetailSerializer(view_of(self.viewer, case)).data, status=code)


class CaseDetail(GuardView):
    """Return one case as the caller may see it. The view is recorded."""

    serializer_class = CaseDetailSerializer

    @described(
        operation_id="cases_retrieve", parameters=[ID], responses=answers(CaseDetailSerializer, 400, 401, 403, 404)
    )
    def get(self, request: Request, pk: str) -> HttpResponseBase:
        filters.read(request, {})
        case = one_or_404(permissions.cases(self.viewer), pk)
        return self.conditional(CaseDetailSerializer(case_view(self.viewer, case)).data)


class CaseSteps(GuardView):
    """Take a step in a case. Compliance officers join a case that they can't read with ``join``."""

    writing = "review"
    serializer_class = CaseStepSerializer

    @described(
        operation_id="cases_step",
        parameters=[ID],
        request=CaseStepSerializer,
        responses=answers(CaseDetailSerializer, 400, 401, 403, 404, 409, 413, 415),
    )
    def post(self, request: Request, pk: str) -> Response:
        filters.read(request, {})
        given = CaseStepSerializer(data=request.data)
        is_join = isinstance(request.data, Mapping) and request.data.get("action") == CaseAction.JOIN
        rows = permissions.joinable_cases if is_join else permissions.cases
        case = one_or_404(rows(self.viewer), pk)
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        take(case, self.viewer, values.pop("action"), values)
        case.refresh_from_db()
        return Response(CaseDetailSerializer(view_of(self.viewer, case)).data)


Service = Callable[..., object]
Found = TypeVar("Found", bound=Model)
#: For each action: its service, and the body's fields by the service's arguments. A trailing "?" marks optional ones.
_STEPS: Final[dict[str, tuple[Service, Mapping[str, str]]]] = {
    CaseAction.JOIN: (opening.case_join, {"reason": "reason"}),
    CaseAction.INVESTIGATE: (working.case_investigate, {}),
    CaseAction.NOTE: (working.note_add, {"text": "text"}),
    CaseAction.INTERVIEW: (working.interview_add, {"text": "text", "occurred_at": "occurred_at"}),
    CaseAction.TASK_ADD: (working.task_add, {"title": "title", "assignee": "person", "due_at": "due_at"}),
    CaseAction.TASK_DONE: (working.task_done, {"task_id": "task"}),
    CaseAction.PARTICIPANT_ADD: (working.participant_add, {"person": "person", "part": "part"}),
    CaseAction.PARTICIPANT_REMOVE: (working.participant_remove, {"person": "person"}),
    CaseAction.EVIDENCE_ADD: (opening.evidence_add, {"alert": "alert?", "conversation": "conversation?"}),
    CaseAction.TELL: (working.case_tell, {"allegation": "text"}),
    CaseAction.HEAR: (working.hearing_record, {"text": "text", "occurred_at": "occurred_at"}),
    CaseAction.STATE: (working.statement_add, {"text": "text"}),
    CaseAction.PROPOSE: (deciding.outcome_propose, {"outcome": "outcome", "reason": "reason", "terms": "terms?"}),
    CaseAction.APPROVE: (deciding.outcome_approve, {}),
    CaseAction.SEND_BACK: (deciding.outcome_send_back, {"reason": "reason"}),
    CaseAction.DECIDE: (deciding.outcome_decide, {}),
    CaseAction.APPEAL: (deciding.appeal_make, {"text": "text"}),
    CaseAction.ANSWER: (deciding.appeal_answer, {"text": "text", "outcome": "outcome?", "terms": "terms?"}),
    CaseAction.CLOSE: (deciding.case_close, {}),
    CaseAction.DROP: (deciding.case_drop, {"reason": "reason"}),
}


def take(case: Case, viewer: Employee, action: str, values: dict[str, Any]) -> None:
    """Call the service of an action. Raise ValidationError for missing fields and for those that it doesn't take."""
    service, wanted = _STEPS[action]
    known = {name.rstrip("?") for name in wanted.values()}
    wrong = {name: [_("The step %(action)s doesn't take this.") % {"action": action}] for name in set(values) - known}
    missing = {name: [_("This field is required.")] for name in wanted.values() if not name.endswith("?")}
    missing = {name: why for name, why in missing.items() if name not in values}
    if wrong or missing:
        raise ValidationError({**wrong, **missing})
    found = _rows(viewer, values)
    arguments = {argument: found[name.rstrip("?")] for argument, name in wanted.items() if name.rstrip("?") in found}
    if action == CaseAction.EVIDENCE_ADD and "conversation" not in arguments:
        if arguments.get("alert") is None:
            raise ValidationError({"conversation": [_("This field is required.")]})
        arguments["conversation"] = arguments["alert"].conversation
    service(case_id=case.pk, actor=viewer, **arguments)


def _rows(viewer: Employee, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with rows in the place of IDs. The viewer must be able to see alerts and conversations."""
    found = dict(values)
    if "person" in found:
        found["person"] = _person(viewer, found["person"], "person")
    if "alert" in found:
        found["alert"] = _seen(permissions.alerts(viewer), found["alert"], "alert")
    if "conversation" in found:
        found["conversation"] = _seen(permissions.conversations(viewer), found["conversation"], "conversation")
    return found


def _seen(rows: QuerySet[Found], key: UUID, field: str) -> Found:
    try:
        return one_or_404(rows, str(key))
    except Http404:
        raise InvalidMessage(_("There is none with this ID."), field=field) from None


def _person(viewer: Employee, key: UUID | None, field: str) -> Employee | None:
    if key is None:
        return None
    return _seen(Employee.objects.filter(tenant=viewer.tenant), key, field)


def _customer(viewer: Employee, key: UUID | None) -> Customer | None:
    if key is None:
        return None
    return _seen(Customer.objects.filter(tenant=viewer.tenant), key, "customer")
