"""People and teams as other rows name them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from crm_contact_guard.directory.addresses import key_of
from crm_contact_guard.directory.models import Customer


class PersonSerializer(serializers.Serializer[Any]):
    """An employee."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class TeamSerializer(serializers.Serializer[Any]):
    """A team."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class CustomerSerializer(serializers.Serializer[Any]):
    """A customer; ``key`` is the host CRM's own key, null for somebody it does not know.

    Where the host's key is a mail address it is masked like any other.
    """

    id = serializers.UUIDField()
    key = serializers.SerializerMethodField(method_name="shown_key")
    name = serializers.CharField()

    def shown_key(self, customer: Customer) -> str | None:
        return customer.key if self.context.get("unmask") else key_of(customer.key)
