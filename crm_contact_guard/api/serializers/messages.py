"""Serializers for recorded messages, messages to send, and the decision made before sending."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm_contact_guard.api.codes import CodeField
from crm_contact_guard.api.problems import ProblemSerializer
from crm_contact_guard.api.serializers.inputs import Input
from crm_contact_guard.api.wire import JsonObject, JsonObjects, Moment
from crm_contact_guard.delivery.models import Delivery, Wait
from crm_contact_guard.directory.addresses import name_of
from crm_contact_guard.exports.masking import files_without_addresses, masked, without_addresses
from crm_contact_guard.policy.decision import WITHOUT_WORDS, Action, Override, OverrideCode
from crm_contact_guard.policy.templates import Chosen
from crm_contact_guard.record.models import Direction, Message, MessageKind
from crm_contact_guard.record.reached import UNSENT
from crm_contact_guard.sending.holds import MAX_REMARK
from crm_contact_guard.supervision.models import FindingKind, Side, Stance
from crm_contact_guard.supervision.showing import shown, shown_values
from crm_contact_guard.supervision.watching.pseudonyms import Veil


class DeliverySerializer(serializers.Serializer[Any]):
    """The state of an outbound message's delivery."""

    state = CodeField(Delivery.State, "DeliveryState")
    attempts = serializers.IntegerField()
    updated_at = Moment()


class WaitSerializer(serializers.Serializer[Any]):
    """Why and until when a message waits, or waited."""

    reason = CodeField(Wait.Reason, "WaitReason")
    state = CodeField(Wait.State, "WaitState")
    due_at = Moment(allow_null=True, help_text="When it goes or, while it is held, until when it is decided on.")
    wanted_at = Moment(allow_null=True, help_text="The time that the writer chose.")
    replaces = serializers.UUIDField(source="replaces_id", allow_null=True, help_text="The message taken back for it.")
    decided_by = serializers.UUIDField(source="decided_by_id", allow_null=True)
    ended_at = Moment(allow_null=True, help_text="When it went, or when it was clear that it won't go.")


class MessageSerializer(serializers.Serializer[Any]):
    """A recorded message. Personal fields are null after an erasure.

    Addresses and sensitive data (card numbers, My Numbers, credentials) are masked unless the caller passes
    ``unmask``. The offsets of findings remain valid in the masked text. With the setting ``PSEUDONYMS``, names are
    hidden in others' conversations with alerts until the caller claims one of them.
    """

    id = serializers.UUIDField()
    conversation = serializers.UUIDField(source="conversation_id")
    customer = serializers.UUIDField(source="customer_id")
    employee = serializers.UUIDField(source="employee_id", allow_null=True)
    direction = CodeField(Direction)
    channel = serializers.CharField()
    kind = CodeField(MessageKind)
    occurred_at = Moment()
    recorded_at = Moment()
    reply_to = serializers.UUIDField(source="reply_to_id", allow_null=True)
    source = serializers.CharField()  # type: ignore[assignment]  # a field, taken off the class by its metaclass
    subject = serializers.CharField(allow_null=True)
    text = serializers.CharField(allow_null=True, help_text="What the writer newly wrote.")
    quoted = serializers.CharField(allow_null=True, help_text="Quoted history and signature.")
    from_name = serializers.CharField(allow_null=True)
    from_address = serializers.SerializerMethodField()
    to_name = serializers.CharField(allow_null=True)
    to_address = serializers.SerializerMethodField()
    details = JsonObject(allow_null=True)
    files = JsonObjects(allow_null=True, help_text="Name, type, size and SHA-256 of each file, and its `url`.")
    delivery = serializers.SerializerMethodField()
    wait = serializers.SerializerMethodField()
    unsent = serializers.SerializerMethodField(help_text="True: the customer never got it, or not yet.")

    def get_from_address(self, message: Message) -> str | None:
        return self._address(message.channel, message.from_address)

    def get_to_address(self, message: Message) -> str | None:
        return self._address(message.channel, message.to_address)

    @extend_schema_field(DeliverySerializer(allow_null=True))
    def get_delivery(self, message: Message) -> dict[str, Any] | None:
        delivery = getattr(message, "delivery", None)
        return None if delivery is None else dict(DeliverySerializer(delivery).data)

    @extend_schema_field(WaitSerializer(allow_null=True))
    def get_wait(self, message: Message) -> dict[str, Any] | None:
        wait = getattr(message, "wait", None)
        return None if wait is None else dict(WaitSerializer(wait).data)

    def get_unsent(self, message: Message) -> bool:
        delivery = getattr(message, "delivery", None)
        return delivery is not None and delivery.state in UNSENT

    def to_representation(self, instance: Message) -> dict[str, Any]:
        given = super().to_representation(instance)
        given["files"] = self._files(instance, given["files"])
        if self.context.get("unmask"):
            return given
        names = {name: name_of(given[name]) for name in ("from_name", "to_name") if given[name]}
        stored = self.context.get("sensitive", {}).get(instance.pk, ())
        masked_texts = {name: shown(given[name]) for name in ("subject", "quoted") if given[name]}
        if given["text"]:
            masked_texts["text"] = shown(given["text"], stored)
        own = (instance.from_address, instance.to_address)
        details = without_addresses(shown_values({"details": given["details"]}), instance.channel, own)
        files = files_without_addresses(
            given["files"] and [{**entry, "name": shown(entry["name"])} for entry in given["files"]]
        )
        masked_whole = {**given, **names, **masked_texts, **details, "files": files}
        hidden = self.context.get("veils", {}).get(instance.conversation_id)
        return masked_whole if hidden is None else self._hidden(instance, masked_whole, hidden)

    @staticmethod
    def _hidden(message: Message, given: dict[str, Any], hidden: Veil) -> dict[str, Any]:
        """Return the message without names, addresses, details and files, as the page of an alert shows it."""
        texts = {name: hidden.text(given[name]) for name in ("subject", "text", "quoted") if given[name]}
        names = (hidden.customer, hidden.employee)
        from_name, to_name = names if message.direction == Direction.INBOUND else names[::-1]
        kept_back = dict.fromkeys(("from_address", "to_address", "details", "files"))
        return {**given, **texts, **kept_back, "from_name": from_name, "to_name": to_name}

    def _files(self, message: Message, listed: list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
        """Return the recorded list of files, each with a ``url``, which is None if the file is no longer stored."""
        if not listed:
            return listed
        kept = {row.position: row for row in message.attachments.all() if row.stored_as}
        return [
            {**entry, "url": reverse("crm_contact_guard:api-file", args=[kept[number].pk]) if number in kept else None}
            for number, entry in enumerate(listed)
        ]

    def _address(self, channel: str, value: str | None) -> str | None:
        return value if not value or self.context.get("unmask") else masked(channel, value)


class OverrideSerializer(Input):
    """The writer's reason for sending a message anyway after a nudge."""

    code = CodeField(OverrideCode)
    text = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=2000, help_text="Needed except for an emergency."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["code"] not in WITHOUT_WORDS and not attrs["text"]:
            raise serializers.ValidationError({"text": _("Say in a few words why.")})
        return attrs


class RemarkSerializer(Input):
    """Why a held message is returned or rejected. Its writer reads it."""

    reason = serializers.CharField(max_length=MAX_REMARK)


class ChosenTemplateSerializer(Input):
    """An approved text block to send instead of free text."""

    name = serializers.CharField(max_length=255)
    language = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=16, help_text="Default: the customer's."
    )
    variables = serializers.DictField(child=serializers.CharField(allow_blank=True), required=False, default=dict)


class OutgoingSerializer(Input):
    """A message that an employee wants to send: free text, a text block, files, or text with files."""

    # The gateway rejects blank text and text that is too long, in one place for pages and the API.
    text = serializers.CharField(trim_whitespace=False, allow_blank=True, required=False, default="")
    template = ChosenTemplateSerializer(required=False, allow_null=True, default=None)
    channel = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=64, help_text="Default: the one used last."
    )
    subject = serializers.CharField(required=False, default="", allow_blank=True, max_length=255)
    emergency = serializers.BooleanField(
        required=False, default=False, help_text="Goes out at once, whatever the rules say; the supervisor sees it."
    )
    send_at = serializers.DateTimeField(
        required=False, allow_null=True, default=None, help_text="A later time, up to 90 days ahead; default: now."
    )
    override = OverrideSerializer(required=False, allow_null=True, default=None)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "text" not in self.initial_data and attrs["template"] is None and not self.context.get("files"):
            raise serializers.ValidationError({"text": _("Give a text, a text block or files.")})
        return attrs

    def template_given(self) -> Chosen | None:
        """The validated text block."""
        given = self.validated_data["template"]
        return None if given is None else Chosen(**given)

    def override_given(self) -> Override | None:
        """The validated override."""
        given = self.validated_data["override"]
        return None if given is None else Override(code=OverrideCode(given["code"]), text=given["text"])


class OutgoingWithFilesSerializer(serializers.Serializer[Any]):
    """A message with files. The part ``message`` contains the message as JSON."""

    message = OutgoingSerializer(required=False)
    files = serializers.ListField(child=serializers.FileField(), required=False)


class TextSerializer(Input):
    """Text to scan without sending it. With ``conversation``, the response also contains the channel's limits."""

    text = serializers.CharField(trim_whitespace=False, allow_blank=True)
    emergency = serializers.BooleanField(required=False, default=False)
    conversation = serializers.UUIDField(required=False, allow_null=True, default=None)
    channel = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=64, help_text="Default: the one used last."
    )


class ScanFindingSerializer(serializers.Serializer[Any]):
    """What a detector found in text. Offsets count code points."""

    kind = CodeField(FindingKind)
    start = serializers.IntegerField()
    end = serializers.IntegerField()
    score = serializers.FloatField()
    detector = serializers.CharField()
    version = serializers.CharField()


class PlacedFindingSerializer(ScanFindingSerializer):
    """A finding and its place: the text (""), the content of a file ("file-0") or the name of a file ("name-0")."""

    place = serializers.CharField(allow_blank=True)


class DecisionSerializer(serializers.Serializer[Any]):
    """The action taken on the message, and the reasons for it (``attempt``, ``after_hours``)."""

    action = CodeField(Action)
    reasons = serializers.ListField(child=serializers.CharField())


class LimitsSerializer(serializers.Serializer[Any]):
    """The limits that currently apply to a message on a channel."""

    length = serializers.IntegerField(help_text="Of the text, as the carrier counts.")
    max_length = serializers.IntegerField()
    max_files = serializers.IntegerField()
    max_file_bytes = serializers.IntegerField()
    window_open = serializers.BooleanField(help_text="False: approved text blocks only.")
    window_ends_at = Moment(allow_null=True, help_text="Until when free text is allowed; null: always, or no longer.")
    refusal = serializers.CharField(help_text="Why nothing can be sent at all; empty when something can.")


class PreviewSerializer(serializers.Serializer[Any]):
    """The result of scanning text: what would happen if it were sent."""

    limits = LimitsSerializer(required=False, help_text="Only with `conversation`.")

    decision = DecisionSerializer()
    attempt = serializers.BooleanField(source="scan.attempt")
    by = CodeField(Side, source="scan.by", allow_null=True)
    stance = CodeField(Stance, source="scan.stance")
    score = serializers.FloatField(source="scan.score")
    findings = ScanFindingSerializer(source="scan.findings", many=True)


class SentSerializer(serializers.Serializer[Any]):
    """A message that was sent, and the decision made before sending it."""

    message = MessageSerializer()
    decision = DecisionSerializer()


class KeptBackSerializer(ProblemSerializer):
    """A message that was not sent. After a nudge, it can be sent again with one of the ``overrides``."""

    decision = DecisionSerializer()
    findings = PlacedFindingSerializer(many=True)
    overrides = serializers.ListField(
        child=CodeField(OverrideCode), help_text="Codes that let the message go; none after a block."
    )
