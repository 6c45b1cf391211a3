"""Serializers for consultations."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm_contact_guard.api.codes import CodeField
from crm_contact_guard.api.serializers.alerts import StepSerializer
from crm_contact_guard.api.serializers.inputs import Input
from crm_contact_guard.api.serializers.people import CustomerSerializer, PersonSerializer
from crm_contact_guard.api.wire import Moment
from crm_contact_guard.supervision.consulting.consultations import consultation_history
from crm_contact_guard.supervision.consulting.models import Consultation
from crm_contact_guard.supervision.consulting.opening import MAX_MESSAGES
from crm_contact_guard.supervision.consulting.recording import MAX_WORDS


class ConsultationSerializer(serializers.Serializer[Any]):
    """A request for help with a customer. It never counts against the employee."""

    id = serializers.UUIDField()
    conversation = serializers.UUIDField(source="conversation_id")
    customer = CustomerSerializer(source="conversation.customer")
    employee = PersonSerializer()
    addressee = PersonSerializer(allow_null=True)
    to_compliance = serializers.BooleanField()
    origin = CodeField(Consultation.Origin, "ConsultationOrigin")
    wish = CodeField(Consultation.Wish, "ConsultationWish", allow_null=True)
    messages = serializers.ListField(child=serializers.UUIDField())
    findings = serializers.ListField(child=serializers.UUIDField())
    status = CodeField(Consultation.Status, "ConsultationStatus")
    result = CodeField(Consultation.Result, "ConsultationResult", allow_null=True)
    follow_up_at = Moment(allow_null=True)
    opened_at = Moment()
    updated_at = Moment()
    closed_at = Moment(allow_null=True)


class ConsultationDetailSerializer(ConsultationSerializer):
    """A consultation with its course. ``reason`` of a step is what was written; null after an erasure."""

    history = serializers.SerializerMethodField()

    @extend_schema_field(StepSerializer(many=True))
    def get_history(self, row: Consultation) -> list[dict[str, Any]]:
        steps: Any = StepSerializer(consultation_history(row), many=True)
        return list(steps.data)


class ConsultationOpenSerializer(Input):
    """A request for help about a conversation."""

    conversation = serializers.UUIDField()
    words = serializers.CharField(required=False, default="", allow_blank=True, max_length=MAX_WORDS)
    wish = CodeField(Consultation.Wish, "ConsultationWish", required=False, default=Consultation.Wish.ADVICE.value)
    messages = serializers.ListField(
        child=serializers.UUIDField(), required=False, default=list, max_length=MAX_MESSAGES
    )
    findings = serializers.ListField(
        child=serializers.UUIDField(), required=False, default=list, max_length=MAX_MESSAGES
    )
    to_compliance = serializers.BooleanField(required=False, default=False)


class ConsultationReplySerializer(Input):
    """A reply, or a date to look at it again."""

    text = serializers.CharField(required=False, default="", allow_blank=True, max_length=MAX_WORDS)
    follow_up_at = Moment(required=False, allow_null=True, default=None)


class ConsultationCloseSerializer(Input):
    """The result with which a consultation is closed."""

    result = CodeField(Consultation.Result, "ConsultationResult")
    text = serializers.CharField(required=False, default="", allow_blank=True, max_length=MAX_WORDS)
