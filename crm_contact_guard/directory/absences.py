"""Who is away now, and who stands in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from crm_contact_guard.directory.models import Absence, Employee


def current(at: datetime | None = None) -> QuerySet[Absence]:
    """Return the absences at a time, which is now unless given."""
    at = at or timezone.now()
    return Absence.objects.filter(starts_at__lte=at, ends_at__gt=at)


def stood_in_for(stand_in: Employee) -> QuerySet[Absence, UUID]:
    """Return the keys of those for whom the person stands in now, for use in a filter."""
    return current().filter(stand_in=stand_in, tenant=stand_in.tenant).values_list("person", flat=True)


def away(people: Iterable[Employee], at: datetime | None = None) -> Mapping[UUID, Employee | None]:
    """Return the keys of those who are away at a time, with who stands in: None if that person is away or has left."""
    rows = current(at).filter(person__in=list(people)).select_related("stand_in").order_by("starts_at", "pk")
    found = {row.person_id: row.stand_in for row in rows}
    absent = set(current(at).filter(person__in=list(found.values())).values_list("person", flat=True))
    return {key: one if one.active and one.pk not in absent else None for key, one in found.items()}
