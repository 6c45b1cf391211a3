"""Serializers for the company's rules."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from crm_contact_guard.api.serializers.inputs import Input


class RulesSerializer(serializers.Serializer[Any]):
    """A published version of the rules, with the caller's signature."""

    id = serializers.UUIDField()
    number = serializers.IntegerField()
    title = serializers.CharField()
    title_ja = serializers.CharField()
    text = serializers.CharField()
    text_ja = serializers.CharField()
    valid_from = serializers.DateTimeField()
    digest = serializers.CharField(help_text="SHA-256 of what was published.")
    signed_at = serializers.DateTimeField(allow_null=True, help_text="When the caller signed this version.")


class SignSerializer(Input):
    """The digest of the text that the caller has read."""

    digest = serializers.CharField(max_length=64)
