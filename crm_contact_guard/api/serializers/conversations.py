"""Serializers for conversations."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm_contact_guard.api.codes import CodeField
from crm_contact_guard.api.serializers.people import CustomerSerializer, PersonSerializer, TeamSerializer
from crm_contact_guard.api.wire import Moment
from crm_contact_guard.directory.addresses import mask
from crm_contact_guard.directory.models import Address
from crm_contact_guard.record.models import Conversation


class ConversationSerializer(serializers.Serializer[Any]):
    """A conversation without its messages."""

    id = serializers.UUIDField()
    customer = CustomerSerializer()
    employee = PersonSerializer(allow_null=True)
    team = TeamSerializer(allow_null=True)
    subject = serializers.CharField()
    channel = serializers.CharField(help_text="Alias of the channel used last.")
    state = CodeField(Conversation.State, "ConversationState")
    created_at = Moment()
    last_message_at = Moment(allow_null=True)
    waiting_since = Moment(allow_null=True, help_text="Since when the customer waits for an answer.")
    unread = serializers.IntegerField()


class AddressSerializer(serializers.Serializer[Any]):
    """An address of the customer, masked unless the caller passes ``unmask=true`` and has that permission."""

    kind = serializers.CharField(help_text="As the channels declare it, such as email or phone.")
    value = serializers.SerializerMethodField(method_name="shown")
    opted_out_at = Moment(allow_null=True)
    opted_out_by = serializers.CharField(help_text="stop, unfollow, unsubscribe, bounce or complaint; empty: neither.")

    def shown(self, address: Address) -> str:
        return address.value if self.context.get("unmask") else mask(address.kind, address.value)


class ConversationDetailSerializer(ConversationSerializer):
    """A conversation with the customer's addresses."""

    addresses = serializers.SerializerMethodField(
        help_text="Empty while names are hidden from the caller (setting `PSEUDONYMS`)."
    )

    @extend_schema_field(AddressSerializer(many=True))
    def get_addresses(self, conversation: Conversation) -> list[dict[str, Any]]:
        if self.context.get("hidden"):
            return []
        rows = conversation.customer.addresses.all()
        return list(AddressSerializer(rows, many=True, context=self.context).data)
