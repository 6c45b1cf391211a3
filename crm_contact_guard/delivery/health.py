"""How the carriers do: the pace they allow, and whether they take anything at all right now.

Working state in one row a channel; whoever sends asks here first, so that any number of workers together keep to what
a carrier allows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q
from django.utils import timezone

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import Channel
from crm_contact_guard.delivery.models import Carrier
from crm_contact_guard.exceptions import ChannelError

#: Attempts in a row that failed before people are told: one lost connection is nobody's news.
FAILURES = 3
#: Longest time for which all of a channel waits because one answer asked for it.
MAX_PAUSE = timedelta(minutes=5)


@dataclass(frozen=True)
class Down:
    """A channel whose carrier takes nothing, and since when."""

    channel: Channel
    since: datetime


def wait_until(carrier: Channel) -> datetime | None:
    """When the next message may be handed over; None: now, and then it counts towards the carrier's pace."""
    now = timezone.now()
    row, _created = Carrier.objects.get_or_create(channel=carrier.alias, defaults={"minute": now})
    if row.resume_at is not None and row.resume_at > now:
        return row.resume_at
    if carrier.per_minute is None:
        return None
    minute = now.replace(second=0, microsecond=0)
    # The row counts decide, so that two workers neither start a minute twice nor take one place both.
    Carrier.objects.filter(channel=carrier.alias).exclude(minute=minute).update(minute=minute, taken=0)
    own = Carrier.objects.filter(channel=carrier.alias, minute=minute, taken__lt=carrier.per_minute)
    return None if own.update(taken=F("taken") + 1) else minute + timedelta(minutes=1)


def answered(alias: str) -> None:
    """The carrier took a message, or refused one for good: it is there."""
    Carrier.objects.filter(Q(failures__gt=0) | Q(failing_since__isnull=False), channel=alias).update(
        failures=0, failing_since=None, resume_at=None
    )


def failed(alias: str, error: Exception) -> None:
    """An attempt ended without an answer that decides anything."""
    now = timezone.now()
    pause = getattr(error, "retry_after", None)
    rows = Carrier.objects.filter(channel=alias)
    if pause:
        rows.update(resume_at=now + timedelta(seconds=min(pause, MAX_PAUSE.total_seconds())))
    if isinstance(error, ChannelError) and pause:
        return  # busy, not away
    rows.filter(failing_since__isnull=True).update(failing_since=now)
    rows.update(failures=F("failures") + 1)


def down() -> list[Down]:
    """Configured channels whose carrier takes nothing at the moment."""
    rows = Carrier.objects.filter(failures__gte=FAILURES, failing_since__isnull=False, channel__in=registry.aliases())
    return [Down(registry.channel(row.channel), row.failing_since or row.minute) for row in rows.order_by("channel")]
