"""Authorisation per row, used by every page, API view and command.

* Employees see their own conversations and the unassigned ones in their teams.
* Supervisors and deputies see the conversations of their teams.
* Compliance officers and auditors see all conversations in their tenant. Auditors can't change anything.

Nobody reviews an alert that concerns them.

The rules that a service enforces are defined in its own package, in a lower layer, in the module ``rights``. They are
gathered here (docs/decisions/0010-services-authorise.md).
"""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from crm_contact_guard.conversations import identity
from crm_contact_guard.conversations.rights import conversations, may_name_customer, may_write, own_conversations
from crm_contact_guard.directory.mirror import employee_for
from crm_contact_guard.directory.models import Customer, Employee, Role
from crm_contact_guard.directory.rights import (
    hours_seen,
    may_answer_subjects,
    may_enter_absence,
    may_enter_hours,
    may_identify_as,
    may_see_hours,
    may_start,
    may_unmask,
    sees_all,
    watched,
    watched_teams,
)
from crm_contact_guard.exceptions import NotPermitted
from crm_contact_guard.policy.versions.rights import may_read_policy, may_set_policy
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.sending.rights import holds, may_decide
from crm_contact_guard.supervision.cases.models import Case
from crm_contact_guard.supervision.cases.rights import cases
from crm_contact_guard.supervision.cases.rights import joinable as joinable_cases
from crm_contact_guard.supervision.consulting.rights import consultations, may_consult, may_help
from crm_contact_guard.supervision.models import Alert, Finding
from crm_contact_guard.supervision.rights import alerts, may_erase, may_review
from crm_contact_guard.supervision.watching.rights import may_judge, unusual_readings

__all__ = [
    "access_log",
    "alerts",
    "cases",
    "consultations",
    "conversations",
    "employee_or_refuse",
    "events",
    "findings",
    "holds",
    "hours_seen",
    "is_party",
    "is_supervising",
    "joinable_cases",
    "may_answer_subjects",
    "may_consult",
    "may_decide",
    "may_enter_absence",
    "may_enter_hours",
    "may_erase",
    "may_help",
    "may_identify_as",
    "may_identify_customer",
    "may_judge",
    "may_look_at_subjects",
    "may_read_policy",
    "may_read_record",
    "may_review",
    "may_see_hours",
    "may_set_policy",
    "may_start",
    "may_unmask",
    "may_write",
    "messages",
    "own_conversations",
    "sees_all",
    "startable",
    "subjects",
    "unusual_readings",
    "watched_teams",
]


def employee_or_refuse(user: Any) -> Employee:
    """Return the active employee who belongs to a host's user. Raise NotPermitted if there is none."""
    employee = employee_for(user)
    if employee is None:
        raise NotPermitted("This user is not an employee in the contact guard")
    return employee


# --- conversations


def startable(viewer: Employee) -> QuerySet[Customer]:
    """Return the customers with whom the viewer may start a conversation (``may_start``) and has no open one."""
    rows = Customer.objects.filter(tenant=viewer.tenant, active=True)
    if not viewer.active or viewer.role == Role.AUDITOR:
        return rows.none()
    nobodys = Q(owner__isnull=True, team__isnull=True)
    talking = own_conversations(viewer).filter(state=Conversation.State.OPEN).values("customer")
    return rows.filter(Q(owner=viewer) | Q(team__in=viewer.teams.all()) | nobodys).exclude(pk__in=talking)


def may_identify_customer(viewer: Employee, conversation: Conversation) -> bool:
    """Whether the viewer may set a conversation's customer and the customer can still be changed."""
    return may_name_customer(viewer, conversation) and identity.may_change(conversation)


def is_party(viewer: Employee, conversation: Conversation) -> bool:
    """Whether the viewer takes part in the conversation. If not, viewing its content is recorded."""
    return conversation.employee_id == viewer.pk or may_write(viewer, conversation)


def messages(viewer: Employee) -> QuerySet[Message]:
    """Return the messages that the viewer may read."""
    if sees_all(viewer):
        # These are the same rows as below. Without the subquery on conversations, an index alone returns them in order.
        return Message.objects.filter(tenant=viewer.tenant)
    return Message.objects.filter(conversation__in=conversations(viewer))


# --- supervision


def is_supervising(viewer: Employee) -> bool:
    """Whether the viewer has a queue of alerts."""
    return viewer.active and (sees_all(viewer) or watched_teams(viewer).exists())


def findings(viewer: Employee) -> QuerySet[Finding]:
    """Return the findings that the viewer may read.

    These are the findings of alerts that the viewer may see, and noticed findings in conversations the viewer watches.
    """
    if not viewer.active:
        return Finding.objects.none()
    return Finding.objects.filter(Q(alert__in=alerts(viewer)) | _noticed(viewer))


def _noticed(viewer: Employee) -> Q:
    """Return a filter for noticed findings (without an alert), for viewers who would have been alerted.

    Conversations that the viewer answers or has written in are excluded, because nobody sees findings that concern
    them, as with alerts. The filter is a condition instead of a list of rows, so that a page queries only its own
    messages.
    """
    wrote = Q(Exists(Message.objects.filter(conversation=OuterRef("message__conversation"), employee=viewer)))
    answers = Q(message__conversation__employee=viewer)
    mine = Q(alert__isnull=True, message__tenant=viewer.tenant) & ~answers & ~wrote
    if sees_all(viewer):
        return mine
    return mine & watched(viewer, team="message__conversation__team", concerned="message__conversation__employee")


# --- requests from data subjects, and the record itself


def may_look_at_subjects(viewer: Employee) -> bool:
    """Whether the viewer may see how much data is stored about a customer, and the customer's legal holds.

    This covers counts, but never content.
    """
    return sees_all(viewer)


def subjects(viewer: Employee) -> QuerySet[Customer]:
    """Return the customers in the viewer's tenant whose requests as data subjects the viewer may see."""
    rows = Customer.objects.filter(tenant=viewer.tenant)
    return rows if may_look_at_subjects(viewer) else rows.none()


def may_read_record(viewer: Employee) -> bool:
    """Whether the viewer may read the record itself, that is, exports, events and the access log."""
    return sees_all(viewer)


def events(viewer: Employee) -> QuerySet[Event]:
    """Return the recorded events that the viewer may read."""
    rows = Event.objects.filter(tenant=viewer.tenant)
    if may_read_record(viewer):
        return rows
    # Team-mates and supervisors don't learn from the record that somebody asked for help.
    return rows.filter(conversation__in=conversations(viewer)).exclude(subject_type__startswith="consultation")


def access_log(viewer: Employee) -> QuerySet[Event]:
    """Return the recorded accesses that the viewer may read.

    Accesses to conversations with an alert that concerns the viewer are excluded, and those to cases about the viewer.
    """
    if not may_read_record(viewer):
        return Event.objects.none()
    kinds = Q(kind__startswith="view.") | Q(kind__startswith="export.")
    concerning = Alert.objects.filter(concerned=viewer).values("conversation")
    own = [str(key) for key in Case.objects.filter(concerned=viewer).values_list("pk", flat=True)]
    rows = Event.objects.filter(kinds, tenant=viewer.tenant).exclude(conversation__in=concerning)
    return rows.exclude(subject_type="case", subject_id__in=own) if own else rows
