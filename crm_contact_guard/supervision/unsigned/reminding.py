"""Reminds people of rules that they haven't signed: at once, then after some days, then every week."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.hosting import database
from crm_contact_guard.policy.known_rules.models import Acknowledgement, RulesVersion
from crm_contact_guard.policy.known_rules.publishing import applying
from crm_contact_guard.policy.known_rules.signing import expected, record_reminder
from crm_contact_guard.supervision.unsigned.telling import unsigned_tell

#: Days from one reminder to the next. The last one repeats.
_PAUSES = (3, 4, 7)
#: Most reminders of one version to one person.
_MOST = 8


def expect(now: datetime, limit: int = 200) -> int:
    """Note whose signatures are expected for the versions that apply now. Return the number of people added."""
    added = 0
    for tenant in RulesVersion.objects.order_by().values_list("tenant", flat=True).distinct():
        for version in applying(tenant, now):
            known = Acknowledgement.objects.filter(version=version, employee=OuterRef("pk"))
            people = Employee.objects.filter(~Exists(known), tenant=tenant, active=True).exclude(role=Role.AUDITOR)
            for person in people.order_by("pk")[: limit - added]:
                with database.atomic():
                    expected(version, person, remind_at=now)
                added += 1
    return added


def due(now: datetime, limit: int = 200) -> list[UUID]:
    """Return the acknowledgements that are due for a reminder."""
    rows = Acknowledgement.objects.filter(signed_at=None, remind_at__lte=now, employee__active=True)
    return list(rows.order_by("remind_at").values_list("pk", flat=True)[:limit])


def remind(acknowledgement_id: UUID) -> bool:
    """Tell a person about the rules once more. Return whether that was done; a conditional UPDATE keeps two workers
    from doing it twice. When the notice leaves the app depends on the person's working time and choice.
    """
    now = timezone.now()
    rows = Acknowledgement.objects.filter(pk=acknowledgement_id, signed_at=None, remind_at__lte=now)
    found = rows.select_related("employee", "version").first()
    if found is None:
        return False
    is_outdated = not applying(found.version.tenant, now).filter(pk=found.version_id).exists()
    pause = _PAUSES[min(found.reminders, len(_PAUSES) - 1)]
    again = None if is_outdated or found.reminders + 1 >= _MOST else now + timedelta(days=pause)
    with database.atomic():
        mine = rows.filter(reminders=found.reminders)
        if not mine.update(remind_at=again, reminders=F("reminders") + int(not is_outdated)):
            return False
        found.refresh_from_db()
        record_reminder(found)
        if not is_outdated:
            unsigned_tell(found)
    return not is_outdated
