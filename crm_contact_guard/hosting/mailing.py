"""The host's own mailers, however its Django version names them."""

from __future__ import annotations

from typing import Any

from django.conf import settings as django_settings
from django.core import mail
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from crm_contact_guard.exceptions import ConfigurationError


def send_by_host(message: EmailMessage) -> None:
    """Send by ``MAILERS["default"]`` where the host has it (Django ≥ 6.1), else by ``EMAIL_BACKEND``.

    Raises whatever the mail back end raises.
    """
    options: dict[str, Any] = {"using": "default"} if hasattr(django_settings, "MAILERS") else {}
    message.send(**options)


def mailer(alias: str) -> BaseEmailBackend:
    """The back end that the host calls ``alias`` in ``MAILERS`` (Django ≥ 6.1), or, as "default", in ``EMAIL_BACKEND``.

    Raises ConfigurationError for a name that the host does not have.
    """
    if hasattr(django_settings, "MAILERS"):
        if alias not in django_settings.MAILERS:
            raise ConfigurationError(f"MAILERS has no {alias!r}")
        connection: BaseEmailBackend = mail.mailers[alias]  # type: ignore[attr-defined, unused-ignore]
        return connection
    if alias != "default":
        raise ConfigurationError(f'MAILER = {alias!r}: before Django 6.1 only "default" (EMAIL_BACKEND) exists')
    return mail.get_connection()
