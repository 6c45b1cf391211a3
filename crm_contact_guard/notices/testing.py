"""The notice that the test button sends, so that people learn whether their way works before they need it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.hosting import database
from crm_contact_guard.notices import preferences
from crm_contact_guard.notices.events import record_notice
from crm_contact_guard.notices.models import Cadence, Notice
from crm_contact_guard.notices.topics import TEST, Line, Topic, register

#: One person's tests within this many seconds are one, so that the button can't flood a mailbox.
PAUSE = 30


@database.atomic()
def trial_send(*, actor: Employee, way: str) -> Notice:
    """Queue a test notice to the actor, which is due now. Return the last one if it is younger than ``PAUSE``.

    Raise NotPermitted if the actor is not active, and InvalidMessage for an unknown way.
    """
    if not actor.active:
        raise NotPermitted(_("You can't choose about these notices."))
    if way not in preferences.ways():
        raise InvalidMessage(_("Choose one of the offered ways."), field="way")
    now = timezone.now()
    before = last(actor)
    if before is not None and before.created_at is not None and (now - before.created_at).total_seconds() < PAUSE:
        return before
    notice = Notice.objects.create(
        recipient=str(actor.pk),
        employee=actor,
        topic=TEST,
        subject_type=TEST,
        subject_id=str(uuid7()),
        way=way,
        created_at=now,
        due_at=now,
    )
    record_notice(notice, "notice.queued")
    return notice


def last(person: Employee) -> Notice | None:
    """Return the person's newest test notice."""
    return Notice.objects.filter(employee=person, topic=TEST).order_by("-pk").first()


def _lines(person: Employee | None, ids: Sequence[str]) -> Mapping[str, Line]:
    path = reverse("crm_contact_guard:notice_settings")
    line = Line(text=_("This is a test. Notices reach you this way."), path=path, since=timezone.now())
    return dict.fromkeys(ids, line)


register(
    Topic(
        name=TEST,
        label=gettext_lazy("A test"),
        many=gettext_lazy("Tests"),
        lines=_lines,
        cadence=Cadence.AT_ONCE,
        urgent=True,
    )
)
