"""What every action on a case shares: permission, the conditional change of state, and its event."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted, NotPossible
from crm_contact_guard.proof.canonical import canonical_text
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.supervision.cases import transitions
from crm_contact_guard.supervision.cases.models import Case, Part
from crm_contact_guard.supervision.cases.rights import part_of

#: Maximum length of a text written for a case.
MAX_TEXT: Final = 20_000


def take(case_id: UUID, actor: Employee, action: str) -> tuple[Case, transitions.Transition]:
    """Return the case, locked, and the row of the table that permits the action.

    Raise NotPermitted if the actor's part never takes this action, and NotPossible if it isn't the time for it.
    """
    case = Case.objects.select_for_update().get(pk=case_id)
    part = part_of(actor, case)
    if not any(transitions.rows(action, part)):
        raise NotPermitted(_("Your part in this case doesn't include this step."))
    row = transitions.find(action, part, case.sort, case.state)
    if row is None:
        raise not_now(case, part)
    return case, row


def not_now(case: Case, part: str) -> NotPossible:
    """Return the error for a step that isn't possible now. The employee isn't told what is still being prepared."""
    if part == Part.CONCERNED:
        return NotPossible(_("This step isn't possible at this stage of the case."))
    return NotPossible(
        _("This step isn't possible while the case is at the stage “%(state)s”.") % {"state": case.get_state_display()}
    )


def move(
    case: Case,
    row: transitions.Transition,
    actor: Employee,
    *,
    why: str | None = None,
    conversation: Conversation | None = None,
    **columns: Any,
) -> None:
    """Change the case if its state is still the one that was read, and record the event ``case.<action>``.

    ``why``: the reason in the event; ``columns``: what else changes. Raise NotPossible if somebody else has changed the
    state in the meantime.
    """
    changed = Case.objects.filter(pk=case.pk, state=case.state).update(
        **columns, state=row.to or case.state, updated_at=timezone.now()
    )
    if not changed:
        raise NotPossible(_("Somebody else has just taken a step in this case. Please look at it again."))
    case.refresh_from_db()
    record_event(
        kind=f"case.{row.action}",
        subject_type="case",
        subject_id=case.pk,
        by=actor,
        tenant=case.tenant,
        conversation=conversation,
        reason=why,
        row=case,
    )


def record(case: Case, actor: Employee | None, kind: str, row: Model) -> None:
    """Record an event about a row that belongs to a case. ``kind``: such as "case_task.added"."""
    record_event(
        kind=kind,
        subject_type=kind.partition(".")[0],
        subject_id=row.pk,
        by=actor,
        tenant=case.tenant,
        data={"case": str(case.pk)},
        row=row,
    )


def written(text: str, field: str, *, most: int = MAX_TEXT) -> str:
    """Return a text as it is stored. Raise InvalidMessage if it is empty or too long."""
    told = canonical_text(text).strip()
    if not told:
        raise InvalidMessage(_("Please write something here."), field=field)
    if len(told) > most:
        raise InvalidMessage(_("At most %(most)d characters are possible here.") % {"most": most}, field=field)
    return told
