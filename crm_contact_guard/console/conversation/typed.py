"""The contents of the composer's form."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from crm_contact_guard.channels.base import FileIn
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
    #: ID of a recalled message that this one is written instead of.
    replaces: str = ""
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
            replaces=canonical_text(form.get("replaces", ""))[:36],
            override_code=form.get("override_code", ""),
            override_text=form.get("override_text", "").strip()[:MAX_REASON],
            # Our own keys are hexadecimal. Characters that a database can't store are removed from any other key.
            key=canonical_text(form.get("key", ""))[:64] or uuid4().hex,
        )

    def idempotency_key(self, files: Sequence[FileIn]) -> str:
        """Return a key for the message that depends on ``key`` and on the message's contents.

        If someone goes back to the page and changes the message, it counts as a new one, although ``key`` is the same.
        """
        parts = [self.text, self.channel, self.subject, self.template, *self.variables.values()]
        digest = hashlib.sha256("\0".join(parts).encode("utf-8", "replace"))
        for file in files:
            digest.update(hashlib.sha256(file.content).digest())
        return f"{self.key}.{digest.hexdigest()[:32]}"

    @property
    def chosen(self) -> templates.Chosen | None:
        return templates.Chosen(name=self.template, variables=self.variables) if self.template else None
