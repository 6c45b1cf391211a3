"""People and teams as other rows name them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class PersonSerializer(serializers.Serializer[Any]):
    """An employee."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class TeamSerializer(serializers.Serializer[Any]):
    """A team."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class CustomerSerializer(serializers.Serializer[Any]):
    """A customer; ``key`` is the host CRM's own key, null for somebody it does not know."""

    id = serializers.UUIDField()
    key = serializers.CharField(allow_null=True)
    name = serializers.CharField()
