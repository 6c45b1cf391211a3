"""Takes back a message before it goes."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _

from crm_contact_guard.delivery import waits
from crm_contact_guard.delivery.models import Wait
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import NotPermitted, NotPossible
from crm_contact_guard.hosting import database
from crm_contact_guard.record.models import Conversation, Message
from crm_contact_guard.sending.telling import decided

#: How often to try again when a worker moves the message to another time while it is taken back.
_TRIES: Final = 5


def may_recall(viewer: Employee, wait: Wait) -> bool:
    """Whether the viewer wrote the message. Nobody else takes it back; a supervisor returns or rejects it."""
    return viewer.active and wait.message.employee_id == viewer.pk and wait.message.tenant == viewer.tenant


def recall(*, actor: Employee, message_id: UUID) -> Wait:
    """Take back a message that waits. Return its wait.

    Raise NotPermitted if the message isn't the actor's or never waited, or NotPossible if it has gone or won't go.
    """
    state = ""
    for _try in range(_TRIES):
        wait = waits.wait_of(message_id)
        if wait is None or not may_recall(actor, wait):
            raise NotPermitted(_("You can only take back messages of your own that wait."))
        state = wait.state
        if state not in waits.OPEN:
            break
        with database.atomic():
            if waits.move(wait, "recalled", actor=actor):
                decided(message_id)
                return wait
    raise NotPossible(_too_late(state))


def recalled(message: Message | None, actor: Employee, conversation: Conversation) -> Message | None:
    """Return the message if the actor took it back in this conversation, or None."""
    if message is None or message.conversation_id != conversation.pk or message.employee_id != actor.pk:
        return None
    return message if Wait.objects.filter(pk=message.pk, state=Wait.State.RECALLED).exists() else None


def _too_late(state: str) -> str:
    if state == Wait.State.RELEASED:
        return _("It is too late to take this message back: it has already gone out.")
    return _("This message won't be sent anyway.")
