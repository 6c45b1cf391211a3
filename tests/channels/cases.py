"""Tests that every channel must pass. A channel's tests subclass these and supply the carrier's requests.

``WebhookCases`` call the real webhook view with the carrier's payloads and signatures; ``SendCases`` run the real
channel against a server on a socket (``carrier_server``). Both configure the channel under ``alias``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

import pytest
from django.test import Client

from crm_contact_guard import gateway
from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import Channel
from crm_contact_guard.delivery import attempts, outbox
from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.directory.models import Address
from crm_contact_guard.exceptions import ChannelError, InvalidMessage
from crm_contact_guard.record.models import Conversation, Event, Message
from tests import factories

#: Larger than any sample payload, but small enough to exceed cheaply.
MOST_BYTES = 200_000


@dataclass(frozen=True, kw_only=True)
class Payload:
    """One unsigned request of a carrier."""

    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class ChannelCases:
    """A configured channel, and a customer with an address for it."""

    backend: ClassVar[str]
    alias: ClassVar[str] = "carrier"
    #: A customer's address, as written in the carrier's payloads.
    customer_address: ClassVar[str] = "+819012345678"

    def options(self) -> dict[str, Any]:
        """The channel's options."""
        raise NotImplementedError

    @pytest.fixture
    def carrier(self) -> Any:
        """The running server of the carrier, if the channel calls one. ``options`` is called afterwards."""
        return None

    @pytest.fixture(autouse=True)
    def _configured(self, carrier: Any, settings: Any, db: None) -> None:
        given = {"BACKEND": self.backend, "OPTIONS": self.options()}
        factories.add_channels(settings, {self.alias: given}, MAX_INBOUND_BYTES=MOST_BYTES)

    @property
    def channel(self) -> Channel:
        return registry.channel(self.alias)

    def talk(self) -> Conversation:
        """A conversation of an employee with a customer who has the address."""
        return factories.reachable(self.channel.address_kind, self.customer_address)

    def open_talk(self) -> Conversation:
        """The same; the customer has just written if the carrier requires that before free text."""
        talk = self.talk()
        if self.channel.session_window is not None:
            factories.opening(self.alias, self.customer_address)
        return talk

    def written(self, text: str = "Your room is ready.") -> Message:
        """A message of the employee in the outbox, due now."""
        return factories.sent(self.open_talk(), text, self.alias)


class WebhookCases(ChannelCases):
    """Required for channels with a webhook."""

    #: The option for the secret, and two values of it.
    secret_option: ClassVar[str] = "SECRET"
    new_secret: ClassVar[str] = "new-secret-0123456789abcdef"
    old_secret: ClassVar[str] = "old-secret-0123456789abcdef"
    #: HTTP status after all events were recorded.
    answer_status: ClassVar[int] = 204

    def payload(self, *, event_id: str, text: str) -> Payload:
        """A text message of the customer."""
        raise NotImplementedError

    def signed(self, payload: Payload, secret: str, url: str) -> Mapping[str, str]:
        """The headers that sign a payload sent to ``url`` (with scheme and host)."""
        raise NotImplementedError

    def unknown(self, *, event_id: str) -> Payload | None:
        """An event of an unknown kind; None if the carrier has only one kind."""
        raise NotImplementedError

    def status(self, *, event_id: str, carrier_id: str, read: bool) -> Payload | None:
        """A read or delivered status of an outbound message; None if the carrier reports neither."""
        return None

    def opt_out(self, *, event_id: str) -> Payload | None:
        """An opt-out of the customer; None if the carrier does not report it."""
        return None

    def opt_in(self, *, event_id: str) -> Payload | None:
        """An opt-in of the customer."""
        return None

    # --- requests of the carrier
    @property
    def path(self) -> str:
        return f"/guard/webhooks/{self.alias}/"

    def call(self, payload: Payload, *, secret: str | None = "", body: bytes | None = None) -> Any:
        """Send a request like the carrier. ``secret`` None: unsigned. ``body``: differs from the signed one."""
        signature = (
            {} if secret is None else self.signed(payload, secret or self.new_secret, f"http://testserver{self.path}")
        )
        sent = payload.body if body is None else body
        return self.post(sent, payload.content_type, {**payload.headers, **signature})

    def post(self, body: bytes, content_type: str, headers: Mapping[str, str]) -> Any:
        """Send the request; ``tests/services/kills`` overrides this to use a socket."""
        client = Client(enforce_csrf_checks=True)
        return client.post(self.path, body, content_type=content_type, headers=headers)

    def accepted(self, payload: Payload | None) -> None:
        assert payload is not None
        assert self.call(payload).status_code == self.answer_status

    # --- the cases
    def test_a_signed_message_is_recorded(self) -> None:
        talk = self.talk()

        self.accepted(self.payload(event_id="e1", text="Hello"))

        message = Message.objects.get(direction="inbound")
        assert message.text == "Hello"
        assert message.channel == self.alias
        assert message.conversation == talk, "its sender was not recognised by the address"

    @pytest.mark.parametrize("secret", [None, "another-secret-0123456789abc"])
    def test_an_invalid_signature_is_refused_without_requests(
        self, secret: str | None, django_assert_num_queries: Callable[..., Any]
    ) -> None:
        payload = self.payload(event_id="e1", text="Hello")
        with django_assert_num_queries(0):
            assert self.call(payload, secret=secret).status_code == 403
        assert not Message.objects.exists()

    def test_a_signature_is_valid_for_its_own_body_only(self) -> None:
        payload = self.payload(event_id="e1", text="Hello")
        other = self.payload(event_id="e1", text="Hallo")

        assert self.call(payload, body=other.body).status_code == 403
        assert not Message.objects.exists()

    def test_both_secrets_are_accepted_during_a_rotation(self, settings: Any) -> None:
        own = settings.CONTACT_GUARD["CHANNELS"][self.alias]
        rotated = {**own["OPTIONS"], self.secret_option: [self.new_secret, self.old_secret]}
        factories.add_channels(settings, {self.alias: {**own, "OPTIONS": rotated}})

        for number, secret in enumerate((self.old_secret, self.new_secret)):
            answer = self.call(self.payload(event_id=f"e{number}", text=f"Hello {number}"), secret=secret)
            assert answer.status_code == self.answer_status
        assert Message.objects.count() == 2

    def test_a_replayed_request_is_accepted_and_adds_nothing(self) -> None:
        payload = self.payload(event_id="e1", text="Hello")
        self.accepted(payload)
        rows = Message.objects.count(), Event.objects.count()

        self.accepted(payload)

        assert (Message.objects.count(), Event.objects.count()) == rows

    def test_an_unknown_event_is_recorded_once_with_its_payload(self) -> None:
        payload = self.unknown(event_id="u1")
        if payload is None:
            return
        self.accepted(payload)
        self.accepted(payload)

        event = Event.objects.get(kind="carrier.unknown")
        assert event.details
        assert not Message.objects.exists()

    def test_an_invalid_payload_is_refused_without_a_crash(self) -> None:
        payload = self.payload(event_id="e1", text="Hello")
        for body in (b"", b"\xff\xfe\x00", b"[]", b'{"events": 7}', b"a=1&b=%ff"):
            broken = Payload(body=body, content_type=payload.content_type, headers=payload.headers)
            assert self.call(broken).status_code in (self.answer_status, 400, 403)
        assert not Message.objects.exists()

    def test_a_request_that_is_too_large_is_refused_unread(self, django_assert_num_queries: Callable[..., Any]) -> None:
        payload = self.payload(event_id="e1", text="Hello")
        with django_assert_num_queries(0):
            assert self.call(payload, body=b"x" * (MOST_BYTES + 1)).status_code == 413

    def test_login_required_middleware_lets_the_carrier_through(self, settings: Any) -> None:
        settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]

        self.accepted(self.payload(event_id="e1", text="Hello"))

        assert Message.objects.count() == 1

    def test_statuses_out_of_order_and_repeated_give_the_final_state(self) -> None:
        message = self.written()
        carrier_id = f"{self.alias}-sent-1"
        Delivery.objects.filter(message=message).update(state="sent", carrier_id=carrier_id, due_at=None)
        read = self.status(event_id="s2", carrier_id=carrier_id, read=True)
        delivered = self.status(event_id="s1", carrier_id=carrier_id, read=False)
        if read is None or delivered is None:
            return

        for payload in (read, delivered, read, delivered):
            self.accepted(payload)

        assert Delivery.objects.get(message=message).state == "read"
        events = Event.objects.filter(message=message, kind__in=["delivery.read", "delivery.delivered"])
        assert events.count() == 2

    def test_no_message_is_sent_between_opt_out_and_opt_in(self) -> None:
        payload = self.opt_out(event_id="o1")
        if payload is None:
            return
        talk = self.talk()
        assert talk.employee is not None
        self.accepted(payload)

        assert Address.objects.get(customer=talk.customer, kind=self.channel.address_kind).opted_out_at
        with pytest.raises(InvalidMessage, match="can't receive messages"):
            gateway.send(actor=talk.employee, conversation=talk, text="Hello", channel=self.alias)

        back = self.opt_in(event_id="o2")
        if back is not None:
            self.accepted(back)
            assert factories.sent(talk, "Hello", self.alias)


class SendCases(ChannelCases):
    """Required for channels that send over the network. The ``fail`` methods determine the carrier's next response."""

    #: Whether the carrier may ask to wait (``retry_after``).
    says_when_to_come_back: ClassVar[bool] = True

    def fail_temporarily(self) -> None:
        """The carrier returns a server error."""
        raise NotImplementedError

    def fail_permanently(self) -> None:
        """The carrier refuses this message permanently."""
        raise NotImplementedError

    def be_busy(self) -> None:
        """The carrier had too many requests and asks to wait 7 seconds."""
        raise NotImplementedError

    def arrived(self) -> list[str]:
        """Texts accepted by the carrier, oldest first."""
        raise NotImplementedError

    def deliver(self, message: Message) -> tuple[Delivery, datetime | None]:
        again = attempts.deliver(message.pk)
        return Delivery.objects.get(message=message), again

    def test_a_message_is_sent_and_its_id_stored(self) -> None:
        message = self.written("Your room is ready.")
        row, again = self.deliver(message)

        assert (row.state, again) == ("sent", None)
        assert row.carrier_id
        assert len(self.arrived()) == 1
        assert "Your room is ready." in self.arrived()[0]

    def test_a_server_error_is_temporary(self) -> None:
        message = self.written()
        self.fail_temporarily()
        row, again = self.deliver(message)

        assert row.state == "queued"
        assert again is not None
        Delivery.objects.filter(message=message).update(due_at=message.recorded_at)
        assert self.deliver(message)[0].state == "sent"

    def test_a_refusal_is_permanent(self) -> None:
        message = self.written()
        self.fail_permanently()
        row, again = self.deliver(message)

        assert (row.state, again) == ("failed", None)
        assert row.last_error

    def test_a_busy_carrier_is_retried_after_the_requested_time(self) -> None:
        message = self.written()
        self.be_busy()
        claim = outbox.claim(message.pk, idempotent=True)
        assert claim is not None
        with pytest.raises(ChannelError) as caught:
            self.channel.send(attempts.outbound(claim))

        assert not caught.value.permanent
        if self.says_when_to_come_back:
            assert caught.value.retry_after == 7

    def test_secrets_are_not_disclosed(self) -> None:
        secrets = [
            value
            for name, value in self.options().items()
            if isinstance(value, str) and any(word in name for word in ("SECRET", "TOKEN", "PASSWORD", "KEY"))
        ]
        assert not [secret for secret in secrets if secret in repr(self.channel) + str(self.channel)]
