"""Rate limits and availability of carriers.

One row per channel holds the state. Every worker checks it before sending, so that all workers together respect the
carrier's limits.
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

#: Consecutive failed attempts after which a channel is reported as down; a single lost connection is not reported.
FAILURES = 3
#: Maximum time for which one answer can pause the whole channel.
MAX_PAUSE = timedelta(minutes=5)


@dataclass(frozen=True)
class Down:
    """A channel whose carrier is down, and since when."""

    channel: Channel
    since: datetime


def wait_until(carrier: Channel) -> datetime | None:
    """Return when the next message may be sent, or None if it may be sent now.

    A message that may be sent now is counted towards the carrier's rate limit.
    """
    now = timezone.now()
    row, _created = Carrier.objects.get_or_create(channel=carrier.alias, defaults={"minute": now})
    if row.resume_at is not None and row.resume_at > now:
        return row.resume_at
    if carrier.per_minute is None:
        return None
    minute = now.replace(second=0, microsecond=0)
    # The number of updated rows decides, so that two workers neither start a minute twice nor take the same slot.
    Carrier.objects.filter(channel=carrier.alias).exclude(minute=minute).update(minute=minute, taken=0)
    own = Carrier.objects.filter(channel=carrier.alias, minute=minute, taken__lt=carrier.per_minute)
    return None if own.update(taken=F("taken") + 1) else minute + timedelta(minutes=1)


def answered(alias: str) -> None:
    """Record that the carrier is available, because it accepted a message or rejected one permanently."""
    Carrier.objects.filter(Q(failures__gt=0) | Q(failing_since__isnull=False), channel=alias).update(
        failures=0, failing_since=None, resume_at=None
    )


def failed(alias: str, error: Exception) -> None:
    """Record an attempt without a conclusive answer."""
    now = timezone.now()
    pause = getattr(error, "retry_after", None)
    rows = Carrier.objects.filter(channel=alias)
    if pause:
        rows.update(resume_at=now + timedelta(seconds=min(pause, MAX_PAUSE.total_seconds())))
    if isinstance(error, ChannelError) and pause:
        return  # busy, not down
    rows.filter(failing_since__isnull=True).update(failing_since=now)
    rows.update(failures=F("failures") + 1)


def down() -> list[Down]:
    """Return the configured channels whose carrier is down."""
    rows = Carrier.objects.filter(failures__gte=FAILURES, failing_since__isnull=False, channel__in=registry.aliases())
    return [Down(registry.channel(row.channel), row.failing_since or row.minute) for row in rows.order_by("channel")]
