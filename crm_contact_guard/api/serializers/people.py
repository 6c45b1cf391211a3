"""Serializers for people and teams, as nested in other objects."""

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
    """A customer. ``key`` is the customer's key in the host CRM, or null for someone who isn't in the CRM.

    If the key is an email address, it is masked like any other address.
    """

    id = serializers.UUIDField()
    key = serializers.SerializerMethodField(method_name="shown_key")
    name = serializers.CharField()

    def shown_key(self, customer: Customer) -> str | None:
        return customer.key if self.context.get("unmask") else key_of(customer.key)
