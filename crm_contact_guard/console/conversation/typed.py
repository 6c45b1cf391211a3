"""The contents of the composer's form."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.channels.base import FileIn
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.policy import templates
from crm_contact_guard.proof.canonical import canonical_text

MAX_REASON = 500
#: Prefix of the form fields for the variables of a text block.
VARIABLE = "var-"


@dataclass(frozen=True)
class Typed:
    """The form as submitted. ``key`` identifies the form, so that a form sent twice results in a single message."""

    text: str = ""
    channel: str = ""
    subject: str = ""
    emergency: bool = False
    override_code: str = ""
    override_text: str = ""
    #: The time to send at, as typed (local), or as the advice proposed it (ISO 8601, with an offset).
    send_at: str = ""
    #: ID of a recalled message that this one is written instead of.
    replaces: str = ""
    #: ID of the newest message that the writer has seen; "" if the form doesn't say.
    seen: str = ""
    key: str = field(default_factory=lambda: uuid4().hex)
    #: Name of an approved text block that replaces free text, and the values of its variables.
    template: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, form: Mapping[str, str]) -> Typed:
        return cls(
            template=form.get("template", ""),
            variables={name.removeprefix(VARIABLE): form.get(name, "") for name in form if name.startswith(VARIABLE)},
            text=form.get("text", "").replace("\r\n", "\n"),
            channel=form.get("channel", ""),
            subject=form.get("subject", ""),
            emergency=form.get("emergency", "") == "on",
            send_at=(form.get("send_then", "") or form.get("send_at", "")).strip()[:40],
            replaces=canonical_text(form.get("replaces", ""))[:36],
            seen=canonical_text(form.get("seen", ""))[:36],
            override_code=form.get("override_code", ""),
            override_text=form.get("override_text", "").strip()[:MAX_REASON],
            # Our own keys are hexadecimal. Characters that a database can't store are removed from any other key.
            key=canonical_text(form.get("key", ""))[:64] or uuid4().hex,
        )

    def idempotency_key(self, files: Sequence[FileIn]) -> str:
        """Return a key for the message that depends on ``key`` and on the message's contents.

        If someone goes back to the page and changes the message, it counts as a new one, although ``key`` is the same.
        """
        parts = [self.text, self.channel, self.subject, self.template, self.send_at, *self.variables.values()]
        digest = hashlib.sha256("\0".join(parts).encode("utf-8", "replace"))
        for file in files:
            digest.update(hashlib.sha256(file.content).digest())
        return f"{self.key}.{digest.hexdigest()[:32]}"

    def time_chosen(self) -> datetime | None:
        """Return the time to send at, aware; None if it was left empty. Raise InvalidMessage (field ``send_at``)."""
        if not self.send_at:
            return None
        try:
            chosen = datetime.fromisoformat(self.send_at)
        except ValueError:
            raise InvalidMessage(_("Give the time as date and hour."), field="send_at") from None
        return chosen if timezone.is_aware(chosen) else timezone.make_aware(chosen)

    @property
    def chosen(self) -> templates.Chosen | None:
        return templates.Chosen(name=self.template, variables=self.variables) if self.template else None
