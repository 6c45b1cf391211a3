"""Serializer of the access log: who viewed, searched, unmasked or exported what."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from crm_contact_guard.api.wire import JsonObject, Moment
from crm_contact_guard.record.models import Event


class AccessSerializer(serializers.Serializer[Any]):
    """One recorded access to content."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    subject_type = serializers.CharField()
    subject_id = serializers.CharField()
    conversation = serializers.UUIDField(source="conversation_id", allow_null=True)
    actor = serializers.CharField(help_text="Id of the employee.")
    actor_name = serializers.SerializerMethodField()
    recorded_at = Moment()
    data = JsonObject()  # type: ignore[assignment]  # a field, taken off the class by its metaclass
    details = JsonObject(allow_null=True)

    def get_actor_name(self, event: Event) -> str:
        names: dict[str, str] = self.context.get("names", {})
        return names.get(event.actor, "")
