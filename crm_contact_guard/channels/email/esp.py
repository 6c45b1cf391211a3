"""Email through an email service (Mailgun, Postmark, Amazon SES, Brevo, SendGrid …), using django-anymail.

Anymail's backends send email, and its webhook views verify and parse the service's requests. Needs the extra
``email-esp``.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from importlib import import_module
from typing import Any

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured, RequestDataTooBig
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.http import HttpRequest, HttpResponse

try:
    from anymail.exceptions import AnymailAPIError, AnymailConfigurationError, AnymailWarning
    from anymail.signals import AnymailInboundEvent
    from anymail.utils import get_anymail_setting
except ImportError as missing:
    raise ImportError(f'{missing}: pip install "crm-contact-guard[email-esp]"') from missing

from crm_contact_guard.channels.base import CarrierEvent, DeliveryStatus, FileIn, OutboundMessage, Receipt
from crm_contact_guard.channels.email.channel import EmailChannel
from crm_contact_guard.channels.email.esp_errors import channel_error
from crm_contact_guard.channels.email.esp_events import METADATA_KEY, inbound_events, tracking_events, unknown
from crm_contact_guard.channels.email.esp_inbound import webhooks
from crm_contact_guard.channels.unread import unreadable
from crm_contact_guard.conf import settings
from crm_contact_guard.exceptions import ChannelError, ConfigurationError, InvalidPayload
from crm_contact_guard.hosting import bounded_json, logs
from crm_contact_guard.hosting.building import building

logger = logs.logger(__name__)

#: Exceptions that Anymail raises for payloads that differ from the service's documentation.
_UNREADABLE = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)

#: Anymail's two kinds of views, each mapped to the other.
_OTHER = {"Tracking": "Inbound", "Inbound": "Tracking"}


class EspChannel(EmailChannel):
    """Email through an email service. Options:

    * ``FROM``, ``REPLY_TO``: as for ``EmailChannel``.
    * ``ESP``: Anymail's name for the service, such as "mailgun".
    * ``SEND``: options of Anymail's backend, such as ``api_key``.
    * ``WEBHOOK``: options of Anymail's webhook views, such as ``webhook_signing_key``.
    * ``WEBHOOK_SECRET``: the "user:password" in the webhook's URL.
    * ``MAILER``: one of the host's mailers, instead of ``SEND``.

    Keys and secrets may be lists during a rotation. Missing options are taken from the host's ``ANYMAIL`` setting.

    Events are sent to ``webhooks/<alias>/``, emails to ``webhooks/<alias>/?type=inbound`` (Mailgun's raw emails to
    ``?type=inbound_mime``).
    """

    supports_webhook = True
    supports_status = True

    def send(self, message: OutboundMessage) -> Receipt:
        """Send with one API request.

        The service's ID for the email is stored, since the service's events and customers' replies contain it.
        """
        with building():
            mail = self.build(message)
            mail.message()
        connection = self._connection()
        if not hasattr(connection, "esp_name"):
            raise ConfigurationError(f"MAILER = {self.options['MAILER']!r} is not one of Anymail's back ends")
        try:
            count = connection.send_messages([mail])
        except Exception as error:
            translated = channel_error(error)
            if translated is None:
                raise
            raise translated from error
        if not count:
            raise ChannelError("a receiver of Anymail's pre_send signal stopped the mail", permanent=True)
        status: Any = mail.anymail_status  # type: ignore[attr-defined]
        recipient = status.recipients.get(message.to_address)
        carrier_id = recipient.message_id if recipient is not None else status.message_id
        return Receipt(
            status=DeliveryStatus.SENT,
            carrier_id=carrier_id if isinstance(carrier_id, str) else mail.extra_headers["Message-ID"],
            detail={"service": self.esp, "status": ", ".join(sorted(filter(None, status.status or ())))},
        )

    def build(self, message: OutboundMessage) -> EmailMessage:
        """Build the email as for SMTP, but without an envelope sender and with our message ID as metadata."""
        mail = super().build(message)
        mail.from_email = mail.extra_headers.pop("From")
        if self.esp == "postmark":
            # Keep our Message-ID, which replies refer to.
            mail.extra_headers["X-PM-KeepID"] = "true"
        mail.metadata = {METADATA_KEY: message.message_id}  # type: ignore[attr-defined]
        return mail

    @property
    def esp(self) -> str:
        """Return Anymail's name for the service."""
        return str(self.options.get("ESP", ""))

    def verify(self, request: HttpRequest) -> None:
        """Have Anymail check the service's signature, its "user:password", or both. Raises InvalidPayload."""
        if request.method == "HEAD":
            # Some services test the URL this way.
            return
        if self._accepting(request, _kind(request)) is None:
            raise InvalidPayload("invalid signature or password")

    def parse(self, request: HttpRequest) -> Sequence[CarrierEvent]:
        """Parse events or emails. Authentic events sent to the URL for emails, or the reverse, are parsed as well."""
        if request.method == "HEAD":
            return ()
        requested = _kind(request)
        problem = ""
        for kind in (requested, _OTHER[requested]):
            view = self._accepting(request, kind)
            if view is None:
                break
            try:
                return self._events(view, request)
            except AnymailConfigurationError as error:
                problem = str(error)
        raise InvalidPayload(problem)

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Return 200, since some services treat any other status as a failure."""
        return HttpResponse(status=200)

    def refuse(self, request: HttpRequest) -> HttpResponse:
        """Return 401 with a challenge for Amazon SNS, which sends its password only after one (RFC 9110 §11.6.1)."""
        if self.esp != "amazon_ses" or "Authorization" in request.headers:
            return super().refuse(request)
        return HttpResponse(status=401, headers={"WWW-Authenticate": 'Basic realm="webhook"'})

    def check(self) -> Iterator[CheckMessage]:
        """E101, E102: as for SMTP. E103: unknown service or missing option. E104: webhooks without authentication.
        W101: Django's upload limit is below ``MAX_INBOUND_BYTES``."""
        yield from super().check()
        where = f'CONTACT_GUARD["CHANNELS"]["{self.alias}"]["OPTIONS"]'
        try:
            if not hasattr(self._connection(), "esp_name"):
                yield Error(f'{where}["MAILER"] is not one of Anymail\'s back ends', id="crm_contact_guard.E103")
            views = [view for variants in self._views.values() for view in variants]
        except (ImportError, AttributeError, ImproperlyConfigured, ConfigurationError, TypeError, ValueError) as error:
            yield Error(f"{where}: {error}", id="crm_contact_guard.E103")
            return
        if not all(_authenticates(view) for view in views):
            yield Error(f'{where}["WEBHOOK_SECRET"] is missing', id="crm_contact_guard.E104")
        most: int | None = django_settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if most is not None and most < settings.MAX_INBOUND_BYTES:
            yield Warning(
                f"Channel {self.alias!r} accepts mails of up to {settings.MAX_INBOUND_BYTES} bytes, but Django refuses "
                f"requests over DATA_UPLOAD_MAX_MEMORY_SIZE = {most}",
                id="crm_contact_guard.W101",
            )

    def _connection(self) -> BaseEmailBackend:
        if "MAILER" in self.options:
            return super()._connection()
        backend = import_module(f"anymail.backends.{self.esp}").EmailBackend
        options = self.options.get("SEND", {})
        options = {name: value[0] if isinstance(value, list | tuple) else value for name, value in options.items()}
        if self.esp == "amazon_ses":
            options["client_params"] = _without_retries(backend.esp_name, options)
        connection: BaseEmailBackend = backend(alias=self.alias, **options)
        return connection

    @cached_property
    def _views(self) -> Mapping[str, tuple[Any, ...]]:
        """Return Anymail's views for events and for emails, one for each combination of currently valid keys."""
        module = webhooks(self.esp)
        options = {**self.options.get("SEND", {}), **self.options.get("WEBHOOK", {})}
        if self.secrets("WEBHOOK_SECRET"):
            options["webhook_secret"] = (list(self.secrets("WEBHOOK_SECRET")),)
        choices = [value if isinstance(value, list | tuple) else (value,) for value in options.values()]
        variants = [dict(zip(options, values, strict=True)) for values in itertools.product(*choices)]
        views: dict[str, tuple[Any, ...]] = {}
        for kind in _OTHER:
            name = next((name for name in vars(module) if name.endswith(f"{kind}WebhookView")), None)
            if name is not None:
                with warnings.catch_warnings():
                    # Anymail warns about missing authentication, but unauthenticated requests are refused here anyway.
                    warnings.simplefilter("ignore", AnymailWarning)
                    views[kind] = tuple(getattr(module, name)(**variant) for variant in variants)
        return views

    def _accepting(self, request: HttpRequest, kind: str) -> Any:
        """Return the first view of this kind that accepts the request as authentic; None if none does."""
        if request.method != "POST" or not request.body:  # must be read before request.POST, for the signature
            return None
        for view in self._views.get(kind, ()):
            if not _authenticates(view):
                continue
            try:
                view.run_validators(request)
            except RequestDataTooBig:
                raise
            except Exception:  # noqa: BLE001, S112 - Anymail's refusal, or an error caused by a forged payload
                continue
            return view
        return None

    def _events(self, view: Any, request: HttpRequest) -> list[CarrierEvent]:
        try:
            return self._translated(view.parse_events(request))
        except (OSError, AnymailConfigurationError):
            # A file could not be fetched from the service, which will repeat the request.
            raise
        except AnymailAPIError as error:
            if not isinstance(error.__cause__, _UNREADABLE):
                raise ChannelError(f"{self.esp}: {type(error).__name__}", permanent=False) from error
            return [self._unreadable(view, request.body, error)]
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise InvalidPayload(f"invalid JSON: {error}") from error
        except _UNREADABLE as error:
            return self._one_by_one(view, request, error)

    def _one_by_one(self, view: Any, request: HttpRequest, error: Exception) -> list[CarrierEvent]:
        """Parse the events of a batch one by one, because one of them can't be parsed."""
        try:
            batch = bounded_json.read(request.body)
        except bounded_json.UnboundedJson:
            batch = None
        if not isinstance(batch, list) or not hasattr(view, "esp_to_anymail_event"):
            return [self._unreadable(view, request.body, error)]
        events: list[CarrierEvent] = []
        for single in batch:
            try:
                events += self._translated([view.esp_to_anymail_event(single)])
            except _UNREADABLE as problem:
                events.append(self._unreadable(view, json.dumps(single).encode(), problem))
        return events

    def _unreadable(self, view: Any, payload: bytes, error: Exception) -> CarrierEvent:
        """Return the event for a payload that can't be parsed.

        A payload for the inbound view that contains an ``@``, as every email does, becomes a message with the payload
        attached. Any other payload becomes an ``UnknownEvent``.
        """
        if "Inbound" in type(view).__name__ and b"@" in payload:
            logger.warning("A mail of channel %s can't be read: %s %s", self.alias, type(error).__name__, error)
            original = FileIn(name="request.txt", content_type="text/plain", content=payload, kind="original")
            return unreadable(original, alias=self.alias, sender="", recipients=(), at=datetime.now(UTC))
        digest = hashlib.sha256(payload).hexdigest()
        reason = f"{self.esp}: {type(error).__name__} {error}"[:300]
        return unknown(
            payload.decode("utf-8", "replace"), alias=self.alias, event_id=f"payload:{digest}", reason=reason
        )

    def _translated(self, anymail_events: Sequence[Any]) -> list[CarrierEvent]:
        events: list[CarrierEvent] = []
        for event in anymail_events:
            translate = inbound_events if isinstance(event, AnymailInboundEvent) else tracking_events
            events += translate(event, alias=self.alias, esp=self.esp)
        return events


def _without_retries(esp_name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return Amazon's client options, ours or the host's, with boto's retries turned off.

    After a lost response, boto would send the email again without marking or recording it. The outbox retries instead.
    """
    from botocore.config import Config  # noqa: PLC0415 - comes with Amazon's own library

    params = dict(get_anymail_setting("client_params", esp_name=esp_name, kwargs=options, default={}))
    config = params.get("config") or Config()
    config = config if isinstance(config, Config) else Config(**config)
    return {**params, "config": config.merge(Config(retries={"total_max_attempts": 1}))}


def _kind(request: HttpRequest) -> str:
    return "Inbound" if request.GET.get("type", "").startswith("inbound") else "Tracking"


def _authenticates(view: Any) -> bool:
    """Whether the view checks a signature or a password."""
    return bool(view.basic_auth or not view.warn_if_no_basic_auth)
