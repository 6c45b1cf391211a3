"""Mail to our own people through the host's default mailer, however its Django version names it."""

from __future__ import annotations

from typing import Any

from django.conf import settings as django_settings
from django.core.mail import EmailMessage


def send_by_host(message: EmailMessage) -> None:
    """Send by ``MAILERS["default"]`` where the host has it (Django ≥ 6.1), else by ``EMAIL_BACKEND``.

    Raises whatever the mail back end raises.
    """
    options: dict[str, Any] = {"using": "default"} if hasattr(django_settings, "MAILERS") else {}
    message.send(**options)
