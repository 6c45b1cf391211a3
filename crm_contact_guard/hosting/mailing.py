"""Access the host's mailers in all supported Django versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings as django_settings
from django.core import mail
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.template.loader import render_to_string

from crm_contact_guard.conf import settings
from crm_contact_guard.exceptions import ConfigurationError


def send_by_host(message: EmailMessage) -> None:
    """Send an email through ``MAILERS["default"]`` (Django ≥ 6.1) or ``EMAIL_BACKEND``.

    Any exception raised by the email backend is passed on.
    """
    options: dict[str, Any] = {"using": "default"} if hasattr(django_settings, "MAILERS") else {}
    message.send(**options)


def automatic_mail(template: str, context: Mapping[str, Any], *, to: str, key: str) -> EmailMessage:
    """Return an email that nobody wrote, in the active language.

    ``template`` names two templates in ``mail/``: the text, and the subject with the suffix ``_subject``. ``key``
    identifies the email. It stays the same on a retry, so that mail systems can drop duplicates.
    """
    context = {**context, "company": settings.company_name}
    subject = render_to_string(f"crm_contact_guard/mail/{template}_subject.txt", context)
    return EmailMessage(
        subject=" ".join(subject.split()),
        body=render_to_string(f"crm_contact_guard/mail/{template}.txt", context),
        to=[to] if to else [],
        headers={"Message-ID": f"<{key}@contact-guard.invalid>", "Auto-Submitted": "auto-generated"},
    )


def mailer(alias: str) -> BaseEmailBackend:
    """Return the email backend ``alias`` in ``MAILERS`` (Django ≥ 6.1), or ``EMAIL_BACKEND`` for "default".

    Raise ConfigurationError for an unknown alias.
    """
    if hasattr(django_settings, "MAILERS"):
        if alias not in django_settings.MAILERS:
            raise ConfigurationError(f"MAILERS has no {alias!r}")
        connection: BaseEmailBackend = mail.mailers[alias]  # type: ignore[attr-defined, unused-ignore]
        return connection
    if alias != "default":
        raise ConfigurationError(f'MAILER = {alias!r}: before Django 6.1 only "default" (EMAIL_BACKEND) exists')
    return mail.get_connection()
