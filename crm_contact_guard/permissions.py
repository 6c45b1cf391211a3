"""Authorisation per row, used by every page, API view and command.

Employees see their own conversations and the unassigned ones of their teams; supervisors and deputies those of their
teams; compliance officers and auditors all of their tenant. Auditors change nothing. Nobody reviews an alert that
concerns them.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from crm_contact_guard.conversations import identity
from crm_contact_guard.directory.mirror import employee_for
from crm_contact_guard.directory.models import Customer, Employee, Role, Team
from crm_contact_guard.exceptions import NotPermitted
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.supervision.models import Alert, Finding


def employee_or_refuse(user: Any) -> Employee:
    """The active employee behind a host's user. Raises NotPermitted."""
    employee = employee_for(user)
    if employee is None:
        raise NotPermitted("This user is not an employee in the contact guard")
    return employee


def sees_all(viewer: Employee) -> bool:
    """Whether the viewer sees all conversations of their tenant."""
    return viewer.active and viewer.role in (Role.COMPLIANCE, Role.AUDITOR)


def watched_teams(viewer: Employee) -> QuerySet[Team]:
    """Teams of which the viewer is supervisor or deputy."""
    return Team.objects.filter(Q(supervisor=viewer) | Q(deputy=viewer), tenant=viewer.tenant)


def is_supervising(viewer: Employee) -> bool:
    """Whether the viewer has a queue of alerts."""
    return viewer.active and (sees_all(viewer) or watched_teams(viewer).exists())


def conversations(viewer: Employee) -> QuerySet[Conversation]:
    """Conversations the viewer may read."""
    rows = Conversation.objects.filter(tenant=viewer.tenant)
    if not viewer.active:
        return rows.none()
    if sees_all(viewer):
        return rows
    mine = Q(employee=viewer) | Q(employee__isnull=True, team__in=viewer.teams.all())
    return rows.filter(mine | Q(team__in=watched_teams(viewer)))


def own_conversations(viewer: Employee) -> QuerySet[Conversation]:
    """Conversations that the viewer answers (the inbox)."""
    rows = Conversation.objects.filter(tenant=viewer.tenant)
    if not viewer.active or viewer.role == Role.AUDITOR:
        return rows.none()
    return rows.filter(Q(employee=viewer) | Q(employee__isnull=True, team__in=viewer.teams.all()))


def may_write(viewer: Employee, conversation: Conversation) -> bool:
    """Whether the viewer may answer in the conversation."""
    return own_conversations(viewer).filter(pk=conversation.pk).exists()


def may_start(viewer: Employee, customer: Customer) -> bool:
    """Whether the viewer may start a conversation with the customer: the customer's owner, or a member of their team.

    Anybody may start one with a customer who has neither.
    """
    if not viewer.active or viewer.role == Role.AUDITOR or customer.tenant != viewer.tenant:
        return False
    if customer.owner_id == viewer.pk or (customer.owner_id is None and customer.team_id is None):
        return True
    return customer.team_id is not None and viewer.teams.filter(pk=customer.team_id).exists()


def startable(viewer: Employee) -> QuerySet[Customer]:
    """Customers with whom the viewer may start a conversation (``may_start``) and has no open one."""
    rows = Customer.objects.filter(tenant=viewer.tenant, active=True)
    if not viewer.active or viewer.role == Role.AUDITOR:
        return rows.none()
    nobodys = Q(owner__isnull=True, team__isnull=True)
    talking = own_conversations(viewer).filter(state=Conversation.State.OPEN).values("customer")
    return rows.filter(Q(owner=viewer) | Q(team__in=viewer.teams.all()) | nobodys).exclude(pk__in=talking)


def may_link(viewer: Employee, conversation: Conversation) -> bool:
    """Whether the viewer may link a conversation to a customer: who answers it, the team's supervisor, compliance."""
    if viewer.role == Role.AUDITOR or not identity.may_change(conversation):
        return False
    if may_write(viewer, conversation) or viewer.role == Role.COMPLIANCE:
        return conversations(viewer).filter(pk=conversation.pk).exists()
    return conversation.team_id is not None and watched_teams(viewer).filter(pk=conversation.team_id).exists()


def linkable(viewer: Employee, customer: Customer) -> bool:
    """Whether the viewer may link a conversation to this customer: one they may write to, or any if they see all."""
    if customer.tenant != viewer.tenant or not customer.active or customer.key is None:
        return False
    if sees_all(viewer) and viewer.role != Role.AUDITOR:
        return True
    teams = watched_teams(viewer)
    return may_start(viewer, customer) or (customer.team_id is not None and teams.filter(pk=customer.team_id).exists())


def is_party(viewer: Employee, conversation: Conversation) -> bool:
    """Whether the viewer takes part in the conversation; otherwise viewing its content is recorded."""
    return conversation.employee_id == viewer.pk or may_write(viewer, conversation)


def messages(viewer: Employee) -> QuerySet[Message]:
    """Messages the viewer may read."""
    if sees_all(viewer):
        # The same rows without a subquery on conversations, so that an index alone returns them in order.
        return Message.objects.filter(tenant=viewer.tenant)
    return Message.objects.filter(conversation__in=conversations(viewer))


def findings(viewer: Employee) -> QuerySet[Finding]:
    """Findings the viewer may read: those of visible alerts, and noticed ones in conversations they watch."""
    if not viewer.active:
        return Finding.objects.none()
    return Finding.objects.filter(Q(alert__in=alerts(viewer)) | _noticed(viewer))


def _noticed(viewer: Employee) -> Q:
    """Noticed findings (without an alert), for those who would have been alerted.

    Not in conversations that the viewer answers or has written in: as with alerts, nobody sees what concerns them.
    Returns a condition and not a list of rows, so that a page queries only its own messages.
    """
    wrote = Q(Exists(Message.objects.filter(conversation=OuterRef("message__conversation"), employee=viewer)))
    answers = Q(message__conversation__employee=viewer)
    mine = Q(alert__isnull=True, message__tenant=viewer.tenant) & ~answers & ~wrote
    return mine if sees_all(viewer) else mine & Q(message__conversation__team__in=watched_teams(viewer))


def alerts(viewer: Employee) -> QuerySet[Alert]:
    """Alerts the viewer may see; never those that concern the viewer."""
    rows = Alert.objects.filter(tenant=viewer.tenant)
    if not viewer.active:
        return rows.none()
    rows = rows.exclude(concerned=viewer)
    if sees_all(viewer):
        return rows
    # A supervisor's own alert goes to the deputy; the deputy sees what is addressed to them and the team's.
    return rows.filter(Q(addressee=viewer) | Q(team__in=watched_teams(viewer)))


def may_review(viewer: Employee, alert: Alert) -> bool:
    """Whether the viewer may claim and close the alert: everybody who sees it, except auditors."""
    return viewer.role != Role.AUDITOR and alerts(viewer).filter(pk=alert.pk).exists()


def may_erase(viewer: Employee, alert: Alert) -> bool:
    """Whether the viewer may erase the alert's messages with sensitive data: compliance, the team's supervisor."""
    if not may_review(viewer, alert):
        return False
    return viewer.role == Role.COMPLIANCE or watched_teams(viewer).filter(alerts=alert).exists()


def may_look_at_subjects(viewer: Employee) -> bool:
    """Whether the viewer may see how much is stored about a customer and its legal holds: counts, never content."""
    return sees_all(viewer)


def may_answer_subjects(viewer: Employee) -> bool:
    """Whether the viewer may disclose or erase a customer's data, and place or release legal holds."""
    return viewer.active and viewer.role == Role.COMPLIANCE


def subjects(viewer: Employee) -> QuerySet[Customer]:
    """Customers of the viewer's tenant whose requests they may see."""
    rows = Customer.objects.filter(tenant=viewer.tenant)
    return rows if may_look_at_subjects(viewer) else rows.none()


def may_unmask(viewer: Employee) -> bool:
    """Whether the viewer may see raw addresses (each unmasking is recorded)."""
    return viewer.active and viewer.role == Role.COMPLIANCE


def may_read_record(viewer: Employee) -> bool:
    """Whether the viewer may read the record itself: exports, events, access log."""
    return sees_all(viewer)


def events(viewer: Employee) -> QuerySet[Event]:
    """Recorded events the viewer may read."""
    rows = Event.objects.filter(tenant=viewer.tenant)
    return rows if may_read_record(viewer) else rows.filter(conversation__in=conversations(viewer))


def access_log(viewer: Employee) -> QuerySet[Event]:
    """Recorded accesses the viewer may read, except to conversations with an alert that concerns the viewer."""
    if not may_read_record(viewer):
        return Event.objects.none()
    kinds = Q(kind__startswith="view.") | Q(kind__startswith="export.") | Q(kind__startswith="search.")
    concerning = Alert.objects.filter(concerned=viewer).values("conversation")
    return Event.objects.filter(kinds, tenant=viewer.tenant).exclude(conversation__in=concerning)
