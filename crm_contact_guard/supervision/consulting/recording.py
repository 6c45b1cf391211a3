"""What every step of a consultation does: check the words, and record the step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.proof.canonical import canonical_text
from crm_contact_guard.record.models import Event
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.supervision.consulting.models import Consultation

MAX_WORDS = 4000


def checked_words(text: str) -> str:
    """Return the text as it is recorded. Raise InvalidMessage if it is too long."""
    text = canonical_text(text).strip()  # as the record keeps it
    if len(text) > MAX_WORDS:
        raise InvalidMessage(_("This may have at most %(most)d characters.") % {"most": MAX_WORDS}, field="text")
    return text


def record_step(
    row: Consultation, kind: str, by: Employee | None, *, data: Mapping[str, Any] | None = None, reason: str = ""
) -> Event:
    """Record a step, in its transaction, and return its event. ``by`` is None for the app itself."""
    return record_event(
        kind=kind,
        subject_type="consultation",
        subject_id=row.pk,
        by=by,
        conversation=row.conversation,
        data=data,
        reason=reason or None,
        row=row,
    )
