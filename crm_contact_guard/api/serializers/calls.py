"""Calling a customer."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from crm_contact_guard.api.serializers.inputs import Input


class CallSerializer(Input):
    """Over which line to call; by default the first that reaches the customer."""

    channel = serializers.CharField(required=False, default="", allow_blank=True, max_length=64)


class PlacedSerializer(serializers.Serializer[Any]):
    """The carrier rings the employee now."""

    channel = serializers.CharField()
    repeated = serializers.BooleanField(help_text="This key was used before: nobody is rung again.")
