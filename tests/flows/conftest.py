"""The installation as it runs: mail goes out by SMTP to a server and comes in by SMTP to the receiver."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage

import django
import pytest
from django.conf import settings as django_settings
from django.test import override_settings
from django.urls import reverse

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.email import EmailChannel
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.intake.mail_server import controller
from tests import factories
from tests.mail_sink import Sink
from tests.ports import free_port


@dataclass
class Post:
    """The mail systems of both sides: ``sink`` takes what we send, ``port`` is where our receiver listens."""

    sink: Sink
    port: int

    def deliver(self, content: bytes | EmailMessage, *, sender: str, to: str) -> tuple[int, str]:
        """Hand a mail to the receiver as a mail system does; its answer."""
        raw = content.as_bytes() if isinstance(content, EmailMessage) else content
        with smtplib.SMTP("127.0.0.1", self.port, timeout=30) as connection:
            connection.ehlo("mail.example")
            try:
                connection.sendmail(sender, [to], raw)
            except smtplib.SMTPRecipientsRefused as error:
                code, words = error.recipients[to]
                return code, words.decode()
            except smtplib.SMTPResponseException as error:
                words = error.smtp_error
                return error.smtp_code, words.decode() if isinstance(words, bytes) else words
        return 250, ""


def host_mail(port: int) -> dict[str, object]:
    """How this Django version is told to send by SMTP to a port of this machine."""
    backend = "django.core.mail.backends.smtp.EmailBackend"
    if django.VERSION >= (6, 1):
        return {"MAILERS": {"default": {"BACKEND": backend, "OPTIONS": {"host": "127.0.0.1", "port": port}}}}
    return {"EMAIL_BACKEND": backend, "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": port}


@pytest.fixture
def post(transactional_db: None) -> Iterator[Post]:
    with Sink() as sink:
        email = django_settings.CONTACT_GUARD["CHANNELS"]["email"]
        channels = {**django_settings.CONTACT_GUARD["CHANNELS"]}
        channels["email"] = {**email, "OPTIONS": {**email["OPTIONS"], "PORT": sink.port}}
        with override_settings(
            CONTACT_GUARD={**django_settings.CONTACT_GUARD, "CHANNELS": channels},
            **host_mail(sink.port),
        ):
            carrier = registry.channel("email")
            assert isinstance(carrier, EmailChannel)
            receiver = controller(carrier, host="127.0.0.1", port=free_port())
            receiver.start()
            try:
                yield Post(sink, int(receiver.port))
            finally:
                receiver.stop()


def clerk(language: str) -> Employee:
    """An employee, always at work, whose supervisor Sora reads this language."""
    branch = factories.team(head="sora", deputy="yui")
    assert branch.head is not None
    branch.head.language = language
    branch.head.save()
    return factories.employee("aoi", branch=branch, hours={"mon-sun": "00:00-24:00"})


def url(page: str, *args: object) -> str:
    return reverse(f"crm_contact_guard:{page}", args=args)
