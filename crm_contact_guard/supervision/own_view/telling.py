"""Tells whoever may answer that an employee contests an alert."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.notices import topics
from crm_contact_guard.notices.models import Cadence
from crm_contact_guard.notices.telling import tell
from crm_contact_guard.notices.topics import Line
from crm_contact_guard.supervision.own_view.models import FlagRemark
from crm_contact_guard.supervision.rights import alerts, may_review
from crm_contact_guard.supervision.routing import addressee
from crm_contact_guard.supervision.titles import alert_title
from crm_contact_guard.supervision.watching.pseudonyms import veil

CONTESTED: Final = "flag_contested"


def contest_tell(row: FlagRemark) -> None:
    """Tell the alert's addressee and whoever closed it, or else who would receive it now."""
    alert = row.alert
    known = [one for one in (alert.addressee, alert.closed_by) if one is not None and may_review(one, alert)]
    now = addressee(alert.conversation)
    people = known or ([now] if now is not None else [])
    tell(topic=CONTESTED, subject=("flag_remark", row.pk), people=people, conversation=alert.conversation)


def _lines(person: Employee | None, ids: Sequence[str]) -> Mapping[str, Line]:
    if person is None:
        return {}
    rows = FlagRemark.objects.filter(
        pk__in=ids, kind=FlagRemark.Kind.CONTEST, answered_at=None, alert__in=alerts(person)
    )
    related = ("alert__conversation__customer", "alert__conversation__employee", "alert__concerned")
    found = list(rows.select_related(*related))
    veil(person, [row.alert for row in found])
    return {
        str(row.pk): Line(
            text=_("The employee disagrees: %(title)s") % {"title": alert_title(row.alert)},
            path=reverse("crm_contact_guard:alert", args=[row.alert_id]),
            since=row.made_at,
        )
        for row in found
    }


topics.register(
    topics.Topic(
        name=CONTESTED,
        label=gettext_lazy("An employee who disagrees"),
        many=gettext_lazy("Employees who disagree"),
        lines=_lines,
        cadence=Cadence.AT_ONCE,
        is_duty=True,
        roles=topics.STAFF,
    )
)
