"""Serializer for identifying the customer in a conversation."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from crm_contact_guard.api.serializers.inputs import Input


@extend_schema_serializer(component_name="Link")
class IdentificationSerializer(Input):
    """The CRM customer with whom the conversation is held, and the reason for the identification."""

    customer = serializers.UUIDField()
    reason = serializers.CharField(required=False, default="", allow_blank=True, max_length=500)
