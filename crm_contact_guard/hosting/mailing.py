"""The host's mailers, for all supported Django versions."""

from __future__ import annotations

from typing import Any

from django.conf import settings as django_settings
from django.core import mail
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from crm_contact_guard.exceptions import ConfigurationError


def send_by_host(message: EmailMessage) -> None:
    """Send by ``MAILERS["default"]`` (Django ≥ 6.1) or ``EMAIL_BACKEND``.

    Raises any exception of the mail back end.
    """
    options: dict[str, Any] = {"using": "default"} if hasattr(django_settings, "MAILERS") else {}
    message.send(**options)


def mailer(alias: str) -> BaseEmailBackend:
    """The back end ``alias`` in ``MAILERS`` (Django ≥ 6.1), or ``EMAIL_BACKEND`` for "default".

    Raises ConfigurationError for an unknown name.
    """
    if hasattr(django_settings, "MAILERS"):
        if alias not in django_settings.MAILERS:
            raise ConfigurationError(f"MAILERS has no {alias!r}")
        connection: BaseEmailBackend = mail.mailers[alias]  # type: ignore[attr-defined, unused-ignore]
        return connection
    if alias != "default":
        raise ConfigurationError(f'MAILER = {alias!r}: before Django 6.1 only "default" (EMAIL_BACKEND) exists')
    return mail.get_connection()
