"""Serializers for alerts and findings."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm_contact_guard.api.codes import CodeField
from crm_contact_guard.api.serializers.inputs import Input
from crm_contact_guard.api.serializers.people import CustomerSerializer, PersonSerializer, TeamSerializer
from crm_contact_guard.api.wire import JsonObject, Moment
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.models import Alert, FindingKind, Severity, Side, Stance, Tier, Topic
from crm_contact_guard.supervision.review import MAX_COMMENT, alert_history
from crm_contact_guard.supervision.titles import alert_title


class TierField(CodeField):
    """The tier as a filter. A finding's tier depends on whether the finding has an alert."""

    def __init__(self) -> None:
        super().__init__(Tier)

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(data) == Tier.NOTICED


class FindingSerializer(serializers.Serializer[Any]):
    """What a detector found in a message. Offsets count code points in the message's text."""

    id = serializers.UUIDField()
    message = serializers.UUIDField(source="message_id")
    alert = serializers.UUIDField(source="alert_id", allow_null=True)
    tier = CodeField(Tier, help_text="`noticed`: too unsure to warn anybody; an alert may take it in later.")
    kind = CodeField(FindingKind)
    place = serializers.CharField(help_text='"" in the text, "file-0" in what the first file holds, "name-0" its name.')
    start = serializers.IntegerField()
    end = serializers.IntegerField()
    score = serializers.FloatField()
    detector = serializers.CharField()
    version = serializers.CharField()
    stance = CodeField(Stance)
    by = CodeField(Side, allow_null=True)
    created_at = Moment()


class AlertSerializer(serializers.Serializer[Any]):
    """An alert."""

    id = serializers.UUIDField()
    title = serializers.SerializerMethodField()
    conversation = serializers.UUIDField(source="conversation_id")
    customer = CustomerSerializer(source="conversation.customer")
    concerned = PersonSerializer(allow_null=True)
    addressee = PersonSerializer(allow_null=True)
    team = TeamSerializer(allow_null=True)
    topic = CodeField(Topic)
    kind = CodeField(FindingKind)
    by = CodeField(Side)
    stance = CodeField(Stance)
    severity = CodeField(Severity)
    status = CodeField(Alert.Status, "AlertStatus")
    resolution = CodeField(Alert.Resolution, allow_null=True)
    comment = serializers.CharField()
    claimed_by = PersonSerializer(allow_null=True)
    claimed_at = Moment(allow_null=True)
    snoozed_until = Moment(allow_null=True, help_text="Null for a snoozed alert: until it happens again.")
    due_at = Moment(allow_null=True, help_text="When it should be closed; null without a deadline.")
    closed_by = PersonSerializer(allow_null=True)
    opened_at = Moment()
    updated_at = Moment()
    closed_at = Moment(allow_null=True)
    at_message = serializers.UUIDField(source="at_message_id")
    times = serializers.IntegerField(help_text="In how many messages there is evidence.")
    declined = serializers.IntegerField(help_text="How often the employee declined what the customer asked for.")
    reasons = serializers.ListField(
        child=serializers.CharField(), allow_null=True, help_text="Why the alert is as severe as it is."
    )
    fingerprint = serializers.ListField(
        child=serializers.CharField(), allow_null=True, help_text="What makes the evidence one story."
    )

    def get_title(self, alert: Alert) -> str:
        return alert_title(alert)


class StepSerializer(serializers.Serializer[Any]):
    """A recorded step in the history of an alert."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    actor_type = CodeField(Event.ActorType)
    actor = serializers.CharField(help_text="Id of the employee, empty for the system.")
    recorded_at = Moment()
    data = JsonObject()  # type: ignore[assignment]  # a field, taken off the class by its metaclass
    reason = serializers.CharField(allow_null=True)


class AlertDetailSerializer(AlertSerializer):
    """An alert with its findings and history."""

    findings = FindingSerializer(many=True)
    history = serializers.SerializerMethodField()
    alike = serializers.SerializerMethodField(
        help_text="Other alerts with the same words of the employee, which the caller can close together with this one."
    )

    @extend_schema_field(StepSerializer(many=True))
    def get_history(self, alert: Alert) -> list[dict[str, Any]]:
        events, hidden = alert_history(alert), self.context.get("hidden")
        for event in events:
            if hidden is not None and event.reason:
                event.reason = hidden.text(event.reason)
        steps: Any = StepSerializer(events, many=True)
        return list(steps.data)

    def get_alike(self, alert: Alert) -> list[UUID]:
        return list(self.context["alike"])


class CloseSerializer(Input):
    """The resolution with which an alert is closed, and a comment."""

    resolution = CodeField(Alert.Resolution)
    comment = serializers.CharField(required=False, default="", allow_blank=True, max_length=MAX_COMMENT)
    alike = serializers.BooleanField(
        required=False, default=False, help_text="Whether to close the alerts with the same words (`alike`) as well."
    )


class ReopenSerializer(Input):
    """Why an alert is opened again. Required unless the second reader closed it."""

    reason = serializers.CharField(required=False, default="", allow_blank=True, max_length=MAX_COMMENT)


class AssignSerializer(Input):
    """The employee to whom an alert is assigned, and a comment."""

    to = serializers.UUIDField()
    comment = serializers.CharField(required=False, default="", allow_blank=True, max_length=MAX_COMMENT)


class EscalateSerializer(Input):
    """A comment for the person to whom the alert goes."""

    comment = serializers.CharField(required=False, default="", allow_blank=True, max_length=MAX_COMMENT)


class SnoozeSerializer(Input):
    """Until when an alert is put aside. Null or left out: until it happens again."""

    until = Moment(required=False, default=None, allow_null=True)
