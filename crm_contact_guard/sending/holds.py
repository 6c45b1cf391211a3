"""A supervisor's decision on a held message: approve it, return it with a remark, or reject it with a reason.

The first decision counts. Without one, the hold ends at its deadline (``releasing``); a message is never sent because
nobody looked at it.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.delivery import waits
from crm_contact_guard.delivery.models import Wait
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.dispatch import later, later_at
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted, NotPossible
from crm_contact_guard.hosting import database
from crm_contact_guard.sending.rights import may_decide
from crm_contact_guard.sending.telling import decided

#: Longest remark or reason, in characters.
MAX_REMARK: Final = 1000


@database.atomic()
def hold_approve(*, actor: Employee, message_id: UUID) -> Wait:
    """Let a held message go: now, or at the time that its writer chose. Its time is judged once more when it goes.

    Raise NotPermitted, or NotPossible if somebody else has decided or the message is no longer held.
    """
    wait = _held(actor, message_id)
    now = timezone.now()
    due_at = max(now, wait.wanted_at or now)
    _move(wait, "approved", actor, due_at=due_at)
    if due_at == now:
        later("release", str(message_id))
    else:
        later_at(due_at, "release", str(message_id))
    return wait


@database.atomic()
def hold_return(*, actor: Employee, message_id: UUID, remark: str) -> Wait:
    """Return a held message to its writer with a remark. Raise NotPermitted, NotPossible or InvalidMessage."""
    wait = _held(actor, message_id)
    _move(wait, "returned", actor, reason=_words(remark, _("Say what should be different.")))
    return wait


@database.atomic()
def hold_reject(*, actor: Employee, message_id: UUID, reason: str) -> Wait:
    """Reject a held message with a reason. Raise NotPermitted, NotPossible or InvalidMessage."""
    wait = _held(actor, message_id)
    _move(wait, "rejected", actor, reason=_words(reason, _("Say why this can't be sent.")))
    return wait


def _held(actor: Employee, message_id: UUID) -> Wait:
    wait = waits.wait_of(message_id)
    if wait is None or not may_decide(actor, wait):
        raise NotPermitted(_("You can't decide on this message."))
    if wait.state != Wait.State.HELD:
        raise NotPossible(_("This message is no longer waiting for a decision."))
    return wait


def _move(wait: Wait, word: str, actor: Employee, **more: object) -> None:
    if not waits.move(wait, word, actor=actor, decided_by=actor, **more):  # type: ignore[arg-type]
        raise NotPossible(_("Somebody else was first: this message has been decided on, or taken back."))
    decided(wait.message_id)


def _words(text: str, missing: str) -> str:
    text = text.strip()
    if not text:
        raise InvalidMessage(missing, field="reason")
    if len(text) > MAX_REMARK:
        raise InvalidMessage(_("At most %(most)d characters.") % {"most": MAX_REMARK}, field="reason")
    return text
