"""Send email by SMTP through Django's email backend."""

from __future__ import annotations

import re
import smtplib
from collections.abc import Iterator
from email.utils import formataddr, parseaddr
from typing import TYPE_CHECKING, Any

from django.core.checks import CheckMessage, Error, Warning
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.channels.address_kinds import EMAIL
from crm_contact_guard.channels.base import Channel, DeliveryStatus, OutboundMessage, Receipt
from crm_contact_guard.channels.email.mime_text import file_name
from crm_contact_guard.exceptions import ChannelError, ConfigurationError
from crm_contact_guard.hosting.building import building
from crm_contact_guard.hosting.mailing import mailer

if TYPE_CHECKING:
    from crm_contact_guard.channels.email.imap import ImapOptions

_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
#: Maps our option names to arguments of Django's SMTP backend.
_SMTP_OPTIONS = {
    "HOST": "host",
    "PORT": "port",
    "USER": "username",
    "PASSWORD": "password",
    "USE_TLS": "use_tls",
    "USE_SSL": "use_ssl",
    "TIMEOUT": "timeout",
}
_DEFAULT_TIMEOUT = 20
_ADDRESS = re.compile(r"[^@\s<>]+@[^@\s<>]+")


class EmailChannel(Channel):
    """Email. Options:

    * ``FROM``: the address shown to customers.
    * ``REPLY_TO``: the address for replies, which arrive at the receiver as ``name+TOKEN@domain``.
    * ``HOST``, ``PORT``, ``USER``, ``PASSWORD``, ``USE_TLS``, ``USE_SSL``, ``TIMEOUT`` (seconds): the SMTP server.
    * ``MAILER``: one of the host's mailers, instead of the SMTP server.
    * ``BACKEND``: another Django email backend.
    * ``IMAP``: a mailbox to poll (``imap.ImapOptions``).
    """

    address_kind = EMAIL
    verbose_name = _("E-mail")
    supports_subject = True
    supports_files = True
    #: Most servers accept emails of up to 25 MB, and base64 makes a file larger by a third.
    max_file_bytes = 10 * 1024 * 1024

    def send(self, message: OutboundMessage) -> Receipt:
        """Send one email by SMTP. If the connection breaks after the data was sent, the error is ``uncertain``."""
        with building():
            mail = self.build(message)
            # Refuses line breaks in headers now, since a retry would fail in the same way.
            mail.message()
        carrier_id = mail.extra_headers["Message-ID"]
        connection = self._connection()
        try:
            connection.open()
        except (OSError, smtplib.SMTPException) as error:
            raise ChannelError(f"mail server not reachable: {error}", permanent=_is_final(error)) from error
        try:
            connection.send_messages([mail])
        except smtplib.SMTPServerDisconnected as error:
            raise ChannelError(f"connection lost: {error}", permanent=False, uncertain=True) from error
        except (smtplib.SMTPException, OSError) as error:
            lost = not isinstance(error, smtplib.SMTPException)
            raise ChannelError(_words(error), permanent=_is_final(error), uncertain=lost) from error
        finally:
            _close(connection)
        return Receipt(status=DeliveryStatus.SENT, carrier_id=carrier_id)

    def build(self, message: OutboundMessage) -> EmailMessage:
        """Build the email.

        The reply address contains our token. It is also the envelope sender, so that bounces can be assigned. The
        Message-ID is derived from our message ID, so it is the same for each attempt. The notice is part of the
        signature.
        """
        sender_name, sender = parseaddr(self.options["FROM"])
        reply_address = self.reply_address(message.reply_token)
        writer = " ".join(message.from_name.split())
        name = f"{writer} ({sender_name})" if sender_name and writer not in ("", sender_name) else writer
        headers = {
            "From": formataddr((name or sender_name, sender)),
            "Message-ID": f"<{message.message_id}@{self.domain}>",
        }
        if message.in_reply_to:
            headers["In-Reply-To"] = message.in_reply_to
            headers["References"] = " ".join(message.references)
        if message.automatic:
            headers["Auto-Submitted"] = "auto-replied"
            # Microsoft Exchange's counterpart (MS-OXCMAIL 2.2.3.2.14).
            headers["X-Auto-Response-Suppress"] = "All"
        if message.possible_duplicate:
            headers["X-Contact-Guard-Possible-Duplicate"] = "yes"
        mail = EmailMessage(
            subject=" ".join(message.subject.split())
            or str(_("Message from %(name)s")) % {"name": sender_name or sender},
            body=f"{message.text}\n\n-- \n{message.notice}\n",
            from_email=reply_address,
            to=[formataddr((" ".join(message.to_name.split()), message.to_address))],
            reply_to=[reply_address],
            headers=headers,
        )
        for file in message.files:
            mail.attach(file_name(file.name), file.read(), file.content_type)
        return mail

    @property
    def domain(self) -> str:
        """Return the domain of the address shown to customers."""
        return parseaddr(self.options["FROM"])[1].rpartition("@")[2]

    def reply_address(self, token: str) -> str:
        """Return ``name+TOKEN@domain`` (RFC 5233 sub-addressing), or the plain address if ``token`` is empty."""
        local, _at, domain = str(self.options.get("REPLY_TO") or parseaddr(self.options["FROM"])[1]).partition("@")
        return f"{local}+{token}@{domain}" if token else f"{local}@{domain}"

    def accepts(self, recipient: str) -> bool:
        """Whether the receiver accepts mail to this address.

        It accepts the sender and reply addresses, with or without a token.
        """
        local, _at, domain = recipient.lower().rpartition("@")
        own = {self.reply_address("").lower(), parseaddr(self.options["FROM"])[1].lower()}
        return f"{local.partition('+')[0]}@{domain}" in own

    def own_domains(self) -> tuple[str, ...]:
        return tuple({self.domain, self.reply_address("").rpartition("@")[2]})

    @property
    def polls(self) -> bool:
        """Whether emails are polled from a mailbox."""
        return bool(self.options.get("IMAP"))

    def imap(self) -> ImapOptions:
        """Return the options of the mailbox. Raises ConfigurationError."""
        try:
            from crm_contact_guard.channels.email.imap import ImapOptions  # noqa: PLC0415 - on first use
        except ImportError as error:
            raise ConfigurationError(f"{error}: install the extra imap") from error
        return ImapOptions.of(self.options.get("IMAP") or {})

    def _connection(self) -> BaseEmailBackend:
        if "MAILER" in self.options:
            return mailer(str(self.options["MAILER"]))
        backend: type[BaseEmailBackend] = import_string(self.options.get("BACKEND", _BACKEND))
        # Django 6.1 requires the alias of a backend; earlier versions ignore it.
        arguments: dict[str, Any] = {"alias": self.alias}
        arguments |= {name: self.options[option] for option, name in _SMTP_OPTIONS.items() if option in self.options}
        if backend.__module__.endswith("smtp"):
            arguments.setdefault("timeout", _DEFAULT_TIMEOUT)
        return backend(**arguments)

    def check(self) -> Iterator[CheckMessage]:
        """E101: invalid FROM. E102: invalid REPLY_TO. E105: IMAP is incomplete. W102: IMAP is not encrypted."""
        where = f'CONTACT_GUARD["CHANNELS"]["{self.alias}"]["OPTIONS"]'
        if not _ADDRESS.fullmatch(parseaddr(str(self.options.get("FROM", "")))[1]):
            yield Error(f'{where}["FROM"] is not an e-mail address', id="crm_contact_guard.E101")
        reply_to = self.options.get("REPLY_TO")
        if reply_to is not None and not _ADDRESS.fullmatch(str(reply_to)):
            yield Error(f'{where}["REPLY_TO"] is not an e-mail address', id="crm_contact_guard.E102")
        if self.polls:
            try:
                if self.imap().is_open_to_listeners:
                    yield Warning(
                        f'{where}["IMAP"]["TLS"] is off: passwords are sent unencrypted', id="crm_contact_guard.W102"
                    )
            except ConfigurationError as error:
                yield Error(f'{where}["IMAP"]: {error}', id="crm_contact_guard.E105")


def _is_final(error: Exception) -> bool:
    """Whether the error is permanent. 5xx replies are; 4xx replies, refused connections and timeouts are not.

    ``SMTPRecipientsRefused`` is raised for both 4xx and 5xx replies, so the reply codes in it decide.
    """
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _text in error.recipients.values())
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code >= 500
    return isinstance(error, smtplib.SMTPNotSupportedError)


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "; ".join(f"{code} {text!r}" for code, text in error.recipients.values())
    return f"{type(error).__name__}: {error}"


def _close(connection: BaseEmailBackend) -> None:
    try:
        connection.close()
    except (OSError, smtplib.SMTPException):
        # The server accepted the email and then closed the connection without a reply to QUIT.
        return
