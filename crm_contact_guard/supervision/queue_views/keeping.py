"""Keeps, changes and removes a person's views of the queue. Services raise NotPermitted for anybody else's."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.directory.rights import sees_all, watched_teams
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.hosting import database
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.supervision.queue_views.models import QueueView

#: Views that a person may keep. Each page of the queue counts the alerts of all of them.
MOST: Final = 12
MAX_NAME: Final = 60
MAX_QUERY: Final = 600


def queue_views(person: Employee) -> QuerySet[QueueView]:
    """Return the person's views by name."""
    return QueueView.objects.filter(employee=person).order_by("name", "pk")


@database.atomic()
def queue_view_keep(*, actor: Employee, name: str, query: str, is_default: bool = False) -> QueueView:
    """Keep filters under a name. Raise InvalidMessage for an unusable or known name, or if there are too many."""
    if not actor.active or not (sees_all(actor) or watched_teams(actor).exists()):
        raise NotPermitted(_("Alerts are for supervisors, compliance officers and auditors."))
    others = _locked(actor)
    if len(others) >= MOST:
        raise InvalidMessage(_("You can keep %(most)d views. Remove one first.") % {"most": MOST}, field="view_name")
    if len(query) > MAX_QUERY:
        raise InvalidMessage(_("These filters can't be kept."), field="view_name")
    view = QueueView(employee=actor, name=_name(name, others), query=query, is_default=is_default)
    _replace_default(others, view)
    view.save(force_insert=True)
    _record(view, "queue_view.kept")
    return view


@database.atomic()
def queue_view_change(*, actor: Employee, view_id: UUID, name: str, is_default: bool) -> QueueView:
    """Rename a view, and choose whether the queue opens with it. Repeating it has no effect. Raise InvalidMessage."""
    view, others = _own(actor, view_id)
    before = view.name, view.is_default
    view.name, view.is_default = _name(name, others), is_default
    if (view.name, view.is_default) != before:
        _replace_default(others, view)
        view.save(force_update=True)
        _record(view, "queue_view.changed")
    return view


@database.atomic()
def queue_view_remove(*, actor: Employee, view_id: UUID) -> None:
    """Remove a view. What it showed remains."""
    view, _others = _own(actor, view_id)
    _record(view, "queue_view.removed")
    view.delete()


def _locked(actor: Employee) -> list[QueueView]:
    # The person's row serves as the lock, so that two requests can't exceed the number or set two defaults.
    Employee.objects.select_for_update().get(pk=actor.pk)
    return list(queue_views(actor))


def _own(actor: Employee, view_id: UUID) -> tuple[QueueView, list[QueueView]]:
    views = _locked(actor) if actor.active else []
    view = next((one for one in views if one.pk == view_id), None)
    if view is None:
        raise NotPermitted(_("This view isn't yours."))
    return view, [one for one in views if one.pk != view_id]


def _name(given: str, others: list[QueueView]) -> str:
    name = " ".join(given.split())
    if not name or len(name) > MAX_NAME or not name.isprintable():
        message = _("Give the view a name of at most %(most)d characters.") % {"most": MAX_NAME}
        raise InvalidMessage(message, field="view_name")
    if name in {one.name for one in others}:
        raise InvalidMessage(_("You have a view of this name already."), field="view_name")
    return name


def _replace_default(others: list[QueueView], view: QueueView) -> None:
    for other in others if view.is_default else ():
        if other.is_default:
            other.is_default = False
            other.save(force_update=True)
            _record(other, "queue_view.changed")


def _record(view: QueueView, kind: str) -> None:
    record_event(
        kind=kind,
        subject_type="queue_view",
        subject_id=view.pk,
        by=view.employee,
        tenant=view.employee.tenant,
        row=view,
    )
