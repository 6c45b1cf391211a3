"""A witness that emails checkpoints, for example to an auditor."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

from django.core.mail import EmailMessage
from django.utils.translation import gettext as _
from django.utils.translation import override

from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.hosting.mailing import send_by_host
from crm_contact_guard.sealing.witnesses.base import Witness


class EmailWitness(Witness):
    """Emails a checkpoint to ``to``, by default once a day. The attachment can be passed to ``--since``."""

    every: ClassVar[timedelta] = timedelta(days=1)

    def __init__(self, *, to: Sequence[str], language: str = "en", from_email: str | None = None) -> None:
        if not to or isinstance(to, str):
            raise ConfigurationError("An e-mail witness needs a list of addresses in OPTIONS['to']")
        self._to = list(to)
        self._language = language
        self._from_email = from_email

    def keep(self, checkpoint: str, *, origin: str, size: int) -> None:
        with override(self._language):
            subject = _("Checkpoint of %(origin)s: %(size)s entries") % {"origin": origin, "size": f"{size:,}"}
            body = _(
                "This is the signed state of the record of customer conversations. Keep it: with it you can check "
                "later that nothing sealed until now was altered, removed or added.\n\n"
                "    python -m crm_contact_guard.proof BUNDLE --public-key KEYFILE --since CHECKPOINT\n\n"
                "CHECKPOINT is the attached file, KEYFILE the public key you were given, BUNDLE an export."
            )
        message = EmailMessage(subject, f"{body}\n\n{checkpoint}", self._from_email, self._to)
        message.attach(f"checkpoint-{size}.txt", checkpoint, "text/plain")
        send_by_host(message)
