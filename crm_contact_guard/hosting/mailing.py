"""Access the host's mailers in all supported Django versions."""

from __future__ import annotations

from typing import Any

from django.conf import settings as django_settings
from django.core import mail
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from crm_contact_guard.exceptions import ConfigurationError


def send_by_host(message: EmailMessage) -> None:
    """Send an email through ``MAILERS["default"]`` (Django ≥ 6.1) or ``EMAIL_BACKEND``.

    Any exception raised by the email backend is passed on.
    """
    options: dict[str, Any] = {"using": "default"} if hasattr(django_settings, "MAILERS") else {}
    message.send(**options)


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
