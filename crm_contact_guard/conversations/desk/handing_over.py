"""Hand a conversation to a colleague, who goes on answering the customer."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from crm_contact_guard.conversations.lifecycle import reassigned
from crm_contact_guard.conversations.rights import may_write
from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.hosting import database
from crm_contact_guard.proof.canonical import canonical_text
from crm_contact_guard.record.models import Conversation

MAX_WORDS = 500


def colleagues(conversation: Conversation, viewer: Employee) -> QuerySet[Employee]:
    """Return who can take the conversation over: the members of its team or, without one, of the viewer's teams."""
    people = Employee.objects.filter(tenant=conversation.tenant, active=True).exclude(role=Role.AUDITOR)
    team = conversation.team_id
    people = people.filter(teams=team) if team is not None else people.filter(teams__in=viewer.teams.all())
    return people.exclude(pk__in=[viewer.pk, conversation.employee_id or viewer.pk]).distinct().order_by("name", "pk")


@database.atomic()
def conversation_hand_over(
    *, conversation: Conversation, actor: Employee, to: Employee, words: str = ""
) -> Conversation:
    """Hand the conversation to a colleague, with words that the record keeps.

    Raise NotPermitted if the actor may not answer in it, or InvalidMessage if the colleague can't take it over.
    """
    if not may_write(actor, conversation):
        raise NotPermitted(_("You can't write in this conversation."))
    conversation = Conversation.objects.select_for_update().get(pk=conversation.pk)
    words = canonical_text(words).strip()
    if len(words) > MAX_WORDS:
        raise InvalidMessage(_("This may have at most %(most)d characters.") % {"most": MAX_WORDS}, field="words")
    if not colleagues(conversation, actor).filter(pk=to.pk).exists():
        raise InvalidMessage(_("Choose a colleague."), field="to")
    return reassigned(conversation, actor, employee=to, team=conversation.team or to.teams.first(), reason=words)
