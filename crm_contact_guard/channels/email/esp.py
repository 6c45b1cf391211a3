"""E-mail through a mail service (Mailgun, Postmark, Amazon SES, Brevo, SendGrid …) by django-anymail.

Its back ends send, its webhook views check and read what the service tells. Needs the extra ``email-esp``.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
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

from crm_contact_guard.channels.base import CarrierEvent, DeliveryStatus, OutboundMessage, Receipt
from crm_contact_guard.channels.email.channel import EmailChannel
from crm_contact_guard.channels.email.esp_errors import channel_error
from crm_contact_guard.channels.email.esp_events import METADATA_KEY, inbound_events, tracking_events, unknown
from crm_contact_guard.conf import settings
from crm_contact_guard.exceptions import ChannelError, ConfigurationError, InvalidPayload

#: What a payload that is not as documented makes Anymail's readers raise.
_UNREADABLE = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)

#: Anymail's two kinds of views, and which is not which.
_OTHER = {"Tracking": "Inbound", "Inbound": "Tracking"}


class EspChannel(EmailChannel):
    """E-mail through a mail service. Options: ``FROM``, ``REPLY_TO``, ``ESP`` (Anymail's name of the service, as
    "mailgun"), ``SEND`` (options of Anymail's back end, as ``api_key``), ``WEBHOOK`` (options of its webhook views, as
    ``webhook_signing_key``), ``WEBHOOK_SECRET`` ("user:password" of the webhook's address). Keys and secrets may be
    lists while they are exchanged. What is not given here is taken from the host's ``ANYMAIL`` setting. ``MAILER``:
    send by a mailer of the host instead of ``SEND``.

    Events come to ``webhooks/<alias>/``, mails to ``webhooks/<alias>/?type=inbound`` (for Mailgun's raw mails
    ``?type=inbound_mime``)."""

    supports_webhook = True
    supports_status = True

    def send(self, message: OutboundMessage) -> Receipt:
        """One call of the service's API. Its own id of the mail is kept: its later events and replies name it."""
        mail = self.build(message)
        connection = self._connection()
        if not hasattr(connection, "esp_name"):
            raise ConfigurationError(f"MAILER = {self.options['MAILER']!r} is not one of Anymail's back ends")
        try:
            taken = connection.send_messages([mail])
        except Exception as error:
            known = channel_error(error)
            if known is None:
                raise
            raise known from error
        if not taken:
            raise ChannelError("a receiver of Anymail's pre_send signal stopped the mail", permanent=True)
        status: Any = mail.anymail_status  # type: ignore[attr-defined]
        said = status.recipients.get(message.to_address)
        carrier_id = said.message_id if said is not None else status.message_id
        return Receipt(
            status=DeliveryStatus.SENT,
            carrier_id=carrier_id if isinstance(carrier_id, str) else mail.extra_headers["Message-ID"],
            detail={"service": self.esp, "status": ", ".join(sorted(filter(None, status.status or ())))},
        )

    def build(self, message: OutboundMessage) -> EmailMessage:
        """As by SMTP, but for the envelope, which is the service's, and with our message id as its metadata."""
        mail = super().build(message)
        mail.from_email = mail.extra_headers.pop("From")
        if self.esp == "postmark":
            # Keeps our Message-ID, to which answers refer.
            mail.extra_headers["X-PM-KeepID"] = "true"
        mail.metadata = {METADATA_KEY: message.message_id}  # type: ignore[attr-defined]
        return mail

    @property
    def esp(self) -> str:
        """Anymail's name of the service."""
        return str(self.options.get("ESP", ""))

    def verify(self, request: HttpRequest) -> None:
        """By the service's signature, its "user:password", or both, as Anymail does it. Raises InvalidPayload."""
        if request.method == "HEAD":
            # Some services ask so whether there is somebody.
            return
        if self._accepting(request, _asked(request)) is None:
            raise InvalidPayload("neither signature nor password are the service's")

    def parse(self, request: HttpRequest) -> Sequence[CarrierEvent]:
        """Events or mails. What comes to the other's address is read all the same, if it proves itself there."""
        if request.method == "HEAD":
            return ()
        asked = _asked(request)
        wrong = ""
        for kind in (asked, _OTHER[asked]):
            view = self._accepting(request, kind)
            if view is None:
                break
            try:
                return self._events(view, request)
            except AnymailConfigurationError as error:
                wrong = str(error)
        raise InvalidPayload(wrong)

    def answer(self, request: HttpRequest) -> HttpResponse:
        """200: some services take nothing else for a yes."""
        return HttpResponse(status=200)

    def refuse(self, request: HttpRequest) -> HttpResponse:
        """Amazon SNS sends its password only after having been asked for it (RFC 9110 §11.6.1)."""
        if self.esp != "amazon_ses" or "Authorization" in request.headers:
            return super().refuse(request)
        return HttpResponse(status=401, headers={"WWW-Authenticate": 'Basic realm="webhook"'})

    def check(self) -> Iterator[CheckMessage]:
        """E101, E102 as by SMTP. E103: unknown service, or an option of it is missing. E104: webhooks that nobody has
        to prove to be the service for. W101: Django refuses mails that we would take."""
        yield from super().check()
        where = f'CONTACT_GUARD["CHANNELS"]["{self.alias}"]["OPTIONS"]'
        try:
            if not hasattr(self._connection(), "esp_name"):
                yield Error(f'{where}["MAILER"] is not one of Anymail\'s back ends', id="crm_contact_guard.E103")
            views = [view for known in self._views.values() for view in known]
        except (ImportError, AttributeError, ImproperlyConfigured, ConfigurationError, TypeError, ValueError) as error:
            yield Error(f"{where}: {error}", id="crm_contact_guard.E103")
            return
        if not all(_proves(view) for view in views):
            yield Error(f'{where}["WEBHOOK_SECRET"] is missing', id="crm_contact_guard.E104")
        most: int | None = django_settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if most is not None and most < settings.MAX_INBOUND_BYTES:
            yield Warning(
                f"Channel {self.alias!r} takes mails of up to {settings.MAX_INBOUND_BYTES} bytes, but Django refuses "
                f"requests over DATA_UPLOAD_MAX_MEMORY_SIZE = {most}",
                id="crm_contact_guard.W101",
            )

    def _connection(self) -> BaseEmailBackend:
        if "MAILER" in self.options:
            return super()._connection()
        backend = import_module(f"anymail.backends.{self.esp}").EmailBackend
        given = self.options.get("SEND", {})
        chosen = {name: value[0] if isinstance(value, list | tuple) else value for name, value in given.items()}
        if self.esp == "amazon_ses":
            chosen["client_params"] = _asked_once(backend.esp_name, chosen)
        connection: BaseEmailBackend = backend(alias=self.alias, **chosen)
        return connection

    @cached_property
    def _views(self) -> Mapping[str, tuple[Any, ...]]:
        """Anymail's views for events and for mails, one for each combination of keys that count at present."""
        module = import_module(f"anymail.webhooks.{self.esp}")
        given = {**self.options.get("SEND", {}), **self.options.get("WEBHOOK", {})}
        if self.secrets("WEBHOOK_SECRET"):
            given["webhook_secret"] = (list(self.secrets("WEBHOOK_SECRET")),)
        choices = [value if isinstance(value, list | tuple) else (value,) for value in given.values()]
        variants = [dict(zip(given, chosen, strict=True)) for chosen in itertools.product(*choices)]
        found: dict[str, tuple[Any, ...]] = {}
        for kind in _OTHER:
            name = next((name for name in vars(module) if name.endswith(f"{kind}WebhookView")), None)
            if name is not None:
                with warnings.catch_warnings():
                    # Whoever proves nothing is refused here, so there is nothing to warn of.
                    warnings.simplefilter("ignore", AnymailWarning)
                    found[kind] = tuple(getattr(module, name)(**variant) for variant in variants)
        return found

    def _accepting(self, request: HttpRequest, kind: str) -> Any:
        """The view of this kind that takes the request for the service's own, None when none does."""
        if request.method != "POST" or not request.body:  # read before the form is, so that a signature finds it
            return None
        for view in self._views.get(kind, ()):
            if not _proves(view):
                continue
            try:
                view.run_validators(request)
            except RequestDataTooBig:
                raise
            except Exception:  # noqa: BLE001, S112 - Anymail's own refusal, or what a forged payload made it raise
                continue
            return view
        return None

    def _events(self, view: Any, request: HttpRequest) -> list[CarrierEvent]:
        try:
            return self._translated(view.parse_events(request))
        except (OSError, AnymailConfigurationError):
            # A file that the service keeps could not be fetched: it will call again.
            raise
        except AnymailAPIError as error:
            if not isinstance(error.__cause__, _UNREADABLE):
                raise
            return [self._unreadable(request.body, error)]
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise InvalidPayload(f"no JSON: {error}") from error
        except _UNREADABLE as error:
            return self._one_by_one(view, request, error)

    def _one_by_one(self, view: Any, request: HttpRequest, error: Exception) -> list[CarrierEvent]:
        """Of a bundle in which something can't be read, all that can."""
        try:
            bundle = json.loads(request.body)
        except ValueError:
            bundle = None
        if not isinstance(bundle, list) or not hasattr(view, "esp_to_anymail_event"):
            return [self._unreadable(request.body, error)]
        events: list[CarrierEvent] = []
        for single in bundle:
            try:
                events += self._translated([view.esp_to_anymail_event(single)])
            except _UNREADABLE as problem:
                events.append(self._unreadable(json.dumps(single).encode(), problem))
        return events

    def _unreadable(self, payload: bytes, error: Exception) -> CarrierEvent:
        digest = hashlib.sha256(payload).hexdigest()
        reason = f"{self.esp}: {type(error).__name__} {error}"[:300]
        return unknown(
            payload.decode("utf-8", "replace"), alias=self.alias, event_id=f"payload:{digest}", reason=reason
        )

    def _translated(self, found: Sequence[Any]) -> list[CarrierEvent]:
        events: list[CarrierEvent] = []
        for one in found:
            translate = inbound_events if isinstance(one, AnymailInboundEvent) else tracking_events
            events += translate(one, alias=self.alias, esp=self.esp)
        return events


def _asked_once(esp_name: str, chosen: dict[str, Any]) -> dict[str, Any]:
    """Amazon's client options, ours or the host's, without boto's own repeats: after a lost answer they would send the
    mail again, unmarked and past the record. The outbox repeats."""
    from botocore.config import Config  # noqa: PLC0415 - comes with Amazon's own library

    given = dict(get_anymail_setting("client_params", esp_name=esp_name, kwargs=chosen, default={}))
    config = given.get("config") or Config()
    config = config if isinstance(config, Config) else Config(**config)
    return {**given, "config": config.merge(Config(retries={"total_max_attempts": 1}))}


def _asked(request: HttpRequest) -> str:
    return "Inbound" if request.GET.get("type", "").startswith("inbound") else "Tracking"


def _proves(view: Any) -> bool:
    """Whether somebody who is not the service would be found out: by a signature or by the password."""
    return bool(view.basic_auth or not view.warn_if_no_basic_auth)
