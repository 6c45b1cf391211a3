"""Serializers for cases."""

from __future__ import annotations

from typing import Any

from django.db.models import TextChoices
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm_contact_guard.api.codes import CodeField
from crm_contact_guard.api.serializers.alerts import StepSerializer
from crm_contact_guard.api.serializers.inputs import Input
from crm_contact_guard.api.serializers.people import CustomerSerializer, PersonSerializer, TeamSerializer
from crm_contact_guard.api.wire import Moment
from crm_contact_guard.supervision.cases.models import CaseEntry, CaseLetter, Part, Sort, State
from crm_contact_guard.supervision.cases.outcomes import Outcome
from crm_contact_guard.supervision.cases.showing import View
from crm_contact_guard.supervision.cases.steps import MAX_TEXT


class CaseAction(TextChoices):
    """The steps of a case, as in the table of transitions; ``answer`` upholds or revises."""

    JOIN = "join"
    INVESTIGATE = "investigate"
    NOTE = "note"
    INTERVIEW = "interview"
    TASK_ADD = "task_add"
    TASK_DONE = "task_done"
    PARTICIPANT_ADD = "participant_add"
    PARTICIPANT_REMOVE = "participant_remove"
    EVIDENCE_ADD = "evidence_add"
    TELL = "tell"
    HEAR = "hear"
    STATE = "state"
    PROPOSE = "propose"
    APPROVE = "approve"
    SEND_BACK = "send_back"
    DECIDE = "decide"
    APPEAL = "appeal"
    ANSWER = "answer"
    CLOSE = "close"
    DROP = "drop"


class CaseSerializer(serializers.Serializer[Any]):
    """A case as the caller may see it. The employee concerned doesn't see what is being prepared."""

    id = serializers.UUIDField(source="case.id")
    sort = CodeField(Sort, "CaseSort", source="case.sort")
    state = CodeField(State, "CaseState")
    part = CodeField(Part, "CasePart", help_text="The caller's part.")
    concerned = PersonSerializer(source="case.concerned", allow_null=True)
    customer = CustomerSerializer(source="case.customer", allow_null=True)
    team = TeamSerializer(source="case.team", allow_null=True)
    allegation = serializers.CharField(source="case.allegation")
    outcome = CodeField(Outcome, "CaseOutcome", allow_null=True)
    reason = serializers.CharField()
    opened_at = Moment(source="case.opened_at")
    told_at = Moment(source="case.told_at", allow_null=True)
    heard_at = Moment(source="case.heard_at", allow_null=True)
    decided_at = Moment(source="case.decided_at", allow_null=True)
    appeal_until = Moment(source="case.appeal_until", allow_null=True)
    closed_at = Moment(source="case.closed_at", allow_null=True)
    actions = serializers.ListField(child=serializers.CharField(), help_text="The steps that the caller can take now.")


class CaseEntrySerializer(serializers.Serializer[Any]):
    """Something written for a case."""

    id = serializers.UUIDField()
    kind = CodeField(CaseEntry.Kind, "CaseEntryKind")
    author = PersonSerializer()
    text = serializers.CharField()
    occurred_at = Moment()
    created_at = Moment()


class CaseEvidenceSerializer(serializers.Serializer[Any]):
    """An alert or a conversation in a case."""

    id = serializers.UUIDField()
    alert = serializers.UUIDField(source="alert_id", allow_null=True)
    conversation = serializers.UUIDField(source="conversation_id")
    added_at = Moment()


class CaseTaskSerializer(serializers.Serializer[Any]):
    """A task of a participant."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    assignee = PersonSerializer()
    due_at = Moment()
    done_at = Moment(allow_null=True)


class CaseParticipantSerializer(serializers.Serializer[Any]):
    """Somebody who works on a case."""

    employee = PersonSerializer()
    part = CodeField(Part, "CasePart")


class CaseLetterSerializer(serializers.Serializer[Any]):
    """A letter to the employee concerned, as it was issued."""

    id = serializers.UUIDField()
    kind = CodeField(CaseLetter.Kind, "CaseLetterKind")
    version = serializers.IntegerField()
    language = serializers.CharField()
    text = serializers.CharField()
    sha256 = serializers.CharField()
    created_at = Moment()


class CaseDetailSerializer(CaseSerializer):
    """A case with all that the caller may see of it. ``terms``: the figures and the plan of a pay cut."""

    terms = serializers.SerializerMethodField()
    entries = CaseEntrySerializer(many=True)
    evidence = CaseEvidenceSerializer(many=True)
    tasks = CaseTaskSerializer(many=True)
    participants = CaseParticipantSerializer(many=True)
    letters = CaseLetterSerializer(many=True)
    history = StepSerializer(many=True)

    @extend_schema_field({"type": "object", "additionalProperties": {}})
    def get_terms(self, view: View) -> dict[str, Any]:
        return dict(view.terms)


class OpenCaseSerializer(Input):
    """Whom a new case is about. ``acted_at``: when it happened, if no alert will show it."""

    sort = CodeField(Sort, "CaseSort")
    concerned = serializers.UUIDField(required=False, allow_null=True)
    customer = serializers.UUIDField(required=False, allow_null=True)
    acted_at = Moment(required=False, allow_null=True)
    consultation = serializers.CharField(required=False, default="", allow_blank=True, max_length=64)


class PayTermsSerializer(Input):
    """The figures of a pay cut in yen. ``closing`` is the last wage closing day of the three months."""

    wages = serializers.IntegerField(min_value=0)
    closing = serializers.DateField()
    days_worked = serializers.IntegerField(required=False, allow_null=True, min_value=1)
    cuts = serializers.ListField(child=serializers.IntegerField(min_value=1), max_length=50)
    periods = serializers.ListField(child=serializers.IntegerField(min_value=0), max_length=50)
    already = serializers.ListField(child=serializers.IntegerField(min_value=0), max_length=50, required=False)


class CaseStepSerializer(Input):
    """A step, and the values that it takes (docs/api.md)."""

    action = CodeField(CaseAction, "CaseAction")
    text = serializers.CharField(required=False, max_length=MAX_TEXT)
    reason = serializers.CharField(required=False, max_length=MAX_TEXT)
    occurred_at = Moment(required=False)
    outcome = CodeField(Outcome, "CaseOutcome", required=False)
    terms = PayTermsSerializer(required=False)
    title = serializers.CharField(required=False, max_length=200)
    person = serializers.UUIDField(required=False)
    part = CodeField(Part, "CasePart", required=False)
    due_at = Moment(required=False)
    task = serializers.UUIDField(required=False)
    alert = serializers.UUIDField(required=False)
    conversation = serializers.UUIDField(required=False)
