"""Serializers for calling a customer."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from crm_contact_guard.api.serializers.inputs import Input


class CallSerializer(Input):
    """The channel to use for the call. Defaults to the first one that reaches the customer."""

    channel = serializers.CharField(required=False, default="", allow_blank=True, max_length=64)


class PlacedSerializer(serializers.Serializer[Any]):
    """A call that was placed. The carrier rings the employee first."""

    channel = serializers.CharField()
    repeated = serializers.BooleanField(help_text="This key was used before: nobody is rung again.")
