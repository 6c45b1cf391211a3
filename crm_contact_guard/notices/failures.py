"""Tells people about notices that couldn't be sent: the person themselves in the app, and the compliance officers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.notices import targets
from crm_contact_guard.notices.models import EMAIL, Cadence, Notice
from crm_contact_guard.notices.telling import tell
from crm_contact_guard.notices.topics import Line, Topic, register

FAILED = "notice_failed"
OFF = "target_off"


def tell_failure(notice: Notice) -> None:
    """Tell about a notice that has failed for good. Call this in the transaction that stores the failure."""
    officers = Employee.objects.filter(role=Role.COMPLIANCE, active=True)
    if notice.employee is not None:
        officers = officers.filter(tenant=notice.employee.tenant)
    elif notice.conversation is not None:
        officers = officers.filter(tenant=notice.conversation.tenant)
    people = [*officers, *([notice.employee] if notice.employee is not None else [])]
    tell(topic=FAILED, subject=("notice", notice.pk), people=people, conversation=notice.conversation)
    if notice.employee is None and targets.is_dead(notice.way):
        first = targets.first_failure(notice.way)
        tell(topic=OFF, subject=("target", f"{notice.way} {first.pk if first else 0}"), people=officers)


def _lines(person: Employee | None, ids: Sequence[str]) -> Mapping[str, Line]:
    wanted = [int(key) for key in ids if key.isdecimal()]
    rows = Notice.objects.filter(pk__in=wanted, state__in=(Notice.State.FAILED, Notice.State.QUEUED))
    rows = rows.select_related("employee")
    return {str(row.pk): _line(person, row) for row in rows if _concerns(person, row)}


def _concerns(person: Employee | None, row: Notice) -> bool:
    if person is None:
        return False
    return row.employee_id == person.pk or person.role == Role.COMPLIANCE


def _line(person: Employee | None, row: Notice) -> Line:
    way = _("Email") if row.way == EMAIL else targets.label(row.way)
    if row.employee is None:
        text = _("Notices to %(way)s don't arrive") % {"way": way}
    elif person is not None and row.employee_id == person.pk:
        text = _("A notice could not reach you by %(way)s") % {"way": way}
    else:
        text = _("A notice could not reach %(name)s by %(way)s") % {"name": row.employee.name, "way": way}
    return Line(text=text, path=reverse("crm_contact_guard:notice_settings"), since=row.created_at or timezone.now())


def _off(person: Employee | None, ids: Sequence[str]) -> Mapping[str, Line]:
    path, now = reverse("crm_contact_guard:notice_settings"), timezone.now()
    names = {key: key.rpartition(" ")[0] for key in ids}
    return {
        key: Line(
            text=_("%(name)s is told nothing more, because nothing reached it for five days") % {"name": name},
            path=path,
            since=now,
        )
        for key, name in names.items()
        if person is not None and targets.is_off(name)
    }


register(
    Topic(
        name=OFF,
        label=gettext_lazy("A system that is told nothing more"),
        many=gettext_lazy("Systems that are told nothing more"),
        lines=_off,
        cadence=Cadence.AT_ONCE,
        roles=frozenset({Role.COMPLIANCE}),
    )
)
register(
    Topic(
        name=FAILED,
        label=gettext_lazy("A notice that didn't arrive"),
        many=gettext_lazy("Notices that didn't arrive"),
        lines=_lines,
        # By the way that has just failed, nobody would learn of the failure.
        cadence=Cadence.IN_APP,
    )
)
