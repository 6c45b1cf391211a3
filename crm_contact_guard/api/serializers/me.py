"""Serializers for what is recorded and flagged about the caller."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm_contact_guard.api.codes import CodeField
from crm_contact_guard.api.serializers.alerts import FindingSerializer
from crm_contact_guard.api.serializers.inputs import Input
from crm_contact_guard.api.serializers.people import CustomerSerializer, PersonSerializer
from crm_contact_guard.api.wire import Moment
from crm_contact_guard.supervision.models import Alert, FindingKind, Side, Stance, Topic
from crm_contact_guard.supervision.own_view.models import FlagRemark
from crm_contact_guard.supervision.own_view.remarks import words
from crm_contact_guard.supervision.review import MAX_COMMENT


class FlagSerializer(serializers.Serializer[Any]):
    """An alert that concerns the caller."""

    id = serializers.UUIDField()
    conversation = serializers.UUIDField(source="conversation_id")
    customer = CustomerSerializer(source="conversation.customer")
    topic = CodeField(Topic)
    kind = CodeField(FindingKind)
    by = CodeField(Side)
    stance = CodeField(Stance)
    status = CodeField(Alert.Status, "AlertStatus")
    resolution = CodeField(Alert.Resolution, allow_null=True)
    opened_at = Moment()
    closed_at = Moment(allow_null=True)


class FlagRemarkSerializer(serializers.Serializer[Any]):
    """What the caller said about an alert, and the answer. Texts are empty after an erasure."""

    id = serializers.UUIDField()
    kind = CodeField(FlagRemark.Kind, "FlagRemarkKind")
    text = serializers.CharField()
    made_at = Moment()
    outcome = CodeField(FlagRemark.Outcome, "FlagRemarkOutcome", allow_null=True)
    answer = serializers.CharField()
    answered_by = PersonSerializer(allow_null=True)
    answered_at = Moment(allow_null=True)


class FlagDetailSerializer(FlagSerializer):
    """An alert that concerns the caller, with its reasons by rule and version, and what the caller said about it."""

    findings = FindingSerializer(many=True)
    remarks = serializers.SerializerMethodField()

    @extend_schema_field(FlagRemarkSerializer(many=True))
    def get_remarks(self, alert: Alert) -> list[dict[str, Any]]:
        rows = list(FlagRemark.objects.filter(alert=alert).select_related("answered_by").order_by("made_at", "pk"))
        said = words(rows)
        for row in rows:
            row.text, row.answer = said[row.pk]  # type: ignore[attr-defined]
        told: Any = FlagRemarkSerializer(rows, many=True)
        return list(told.data)


class RefusalSerializer(serializers.Serializer[Any]):
    """A message of the caller's that declines or reports an attempt. It stands to the caller's credit."""

    message = serializers.UUIDField(source="message_id")
    conversation = serializers.UUIDField(source="message.conversation_id")
    customer = CustomerSerializer(source="message.conversation.customer")
    stance = CodeField(Stance)
    occurred_at = Moment(source="message.occurred_at")


class MeSerializer(serializers.Serializer[Any]):
    """The caller: what stands to their credit, and the newest alerts that concern them. No number sums them up."""

    employee = PersonSerializer()
    refusals = RefusalSerializer(many=True)
    flags = FlagSerializer(many=True)


class OwnRemarkSerializer(Input):
    """A comment on an alert, or a contest, which somebody must answer."""

    kind = CodeField(FlagRemark.Kind, "FlagRemarkKind")
    text = serializers.CharField(max_length=MAX_COMMENT)
