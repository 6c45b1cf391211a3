"""Draws a week's sample: conversations that nobody was warned of, and closed alerts for a second review."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from crm_contact_guard import crm
from crm_contact_guard.conf import settings
from crm_contact_guard.hosting import database
from crm_contact_guard.hosting.insert_once import insert_once
from crm_contact_guard.policy.hours import zone_named
from crm_contact_guard.policy.versions.current import in_force
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.sealing.keys import signing_key
from crm_contact_guard.supervision.cases.models import CaseEvidence
from crm_contact_guard.supervision.models import Alert, Finding
from crm_contact_guard.supervision.quality.assigning import second_review_assign
from crm_contact_guard.supervision.quality.hashing import bound_of, derived, is_drawn, place_of
from crm_contact_guard.supervision.quality.models import SampleDraw, SampledTalk, SecondReview

#: How long after a week's end it is drawn, so that its messages have been inspected; and how far back missed draws go.
DELAY: Final = timedelta(hours=6)
WEEKS_BACK: Final = 4
_WEEK: Final = timedelta(days=7)
#: Judgements that are drawn: all that a person can give but a case, in which several people judge anyway.
JUDGED: Final = (Alert.Resolution.FALSE_POSITIVE, Alert.Resolution.NO_ACTION, Alert.Resolution.COACHING)


def secret() -> bytes | None:
    """Return what the keys of all draws derive from: ``SAMPLE_KEY`` or the signing key. None if there is neither."""
    if settings.SAMPLE_KEY:
        return str(settings.SAMPLE_KEY).encode()
    key = signing_key()
    return key.seed if key is not None else None


def draw_due(now: datetime) -> int:
    """Draw every tenant's last weeks that haven't been drawn, up to ``WEEKS_BACK``. Return the number of draws."""
    root = secret()
    if root is None:
        return 0
    done = 0
    for tenant in Conversation.objects.order_by().values_list("tenant", flat=True).distinct():
        known = set(SampleDraw.objects.filter(tenant=tenant).values_list("period", flat=True))
        for first in weeks_before(now - DELAY, 1 if not known else WEEKS_BACK):
            if period_of(first) not in known:
                with crm.tenant(tenant):
                    done += sample_draw(tenant=tenant, first=first, root=root) is not None
    return done


@database.atomic()
def sample_draw(*, tenant: str, first: date, root: bytes) -> SampleDraw | None:
    """Draw the week that begins on ``first``, a Monday. Return None if it has been drawn."""
    period, starts_at, ends_at = period_of(first), midnight(first), midnight(first + _WEEK)
    key = derived(root, tenant, period)
    talks, alerts = unflagged(tenant, starts_at, ends_at), judged(tenant, starts_at, ends_at)
    below = bound_of(_chance(in_force(tenant).rules.review_share, int(settings.REVIEW_LEAST), len(talks)))
    second_below = bound_of(float(settings.SECOND_REVIEW_SHARE))
    chosen, again = in_order(key, talks, below), in_order(key, alerts, second_below)
    draw = SampleDraw(
        tenant=tenant,
        period=period,
        starts_at=starts_at,
        ends_at=ends_at,
        drawn_at=timezone.now(),
        key=key.hex(),
        next_key_hash=sha256(derived(root, tenant, period_of(first + _WEEK))).hexdigest(),
        below=below,
        frame=len(talks),
        drawn=len(chosen),
        second_below=second_below,
        second_frame=len(alerts),
        second_drawn=len(again),
    )
    with insert_once(SampleDraw.objects.filter(tenant=tenant, period=period).first) as insertion:
        draw.save(force_insert=True)
    if not insertion.is_first:
        return None
    record_draw(draw, "sample_draw", "sample.drawn", draw)
    for talk in chosen:
        row = SampledTalk.objects.create(draw=draw, conversation_id=talk)
        record_draw(row, "sampled_talk", "sample.taken", draw)
    for alert in again:
        second = SecondReview.objects.create(draw=draw, alert_id=alert)
        record_draw(second, "second_review", "second_review.drawn", draw)
        second_review_assign(second, key)
    return draw


def record_draw(row: SampleDraw | SampledTalk | SecondReview, subject: str, kind: str, draw: SampleDraw) -> None:
    """Record that a row was drawn. Neither event names the conversation, whose employee may read its events."""
    record_event(
        kind=kind,
        subject_type=subject,
        subject_id=row.pk,
        actor_type=Event.ActorType.SYSTEM,
        tenant=draw.tenant,
        row=row,
    )


def unflagged(tenant: str, starts_at: datetime, ends_at: datetime) -> set[UUID]:
    """Return the conversations with messages recorded in the period, none of which is evidence in an alert."""
    said: QuerySet[Message] = Message.objects.filter(
        tenant=tenant, source="live", recorded_at__gte=starts_at, recorded_at__lt=ends_at
    )
    warned = Finding.objects.filter(
        alert__isnull=False,
        message__tenant=tenant,
        message__recorded_at__gte=starts_at,
        message__recorded_at__lt=ends_at,
    )
    talks = set(said.order_by().values_list("conversation_id", flat=True).distinct())
    return talks - set(warned.order_by().values_list("message__conversation_id", flat=True).distinct())


def judged(tenant: str, starts_at: datetime, ends_at: datetime) -> set[UUID]:
    """Return the alerts that people closed in the period, without those in a case, which would tell the judgement."""
    rows = Alert.objects.filter(
        tenant=tenant,
        status=Alert.Status.CLOSED,
        resolution__in=JUDGED,
        closed_by__isnull=False,
        closed_at__gte=starts_at,
        closed_at__lt=ends_at,
        second_review__isnull=True,
    )
    in_cases = CaseEvidence.objects.filter(alert__isnull=False).values("alert")
    return set(rows.exclude(pk__in=in_cases).values_list("pk", flat=True))


def in_order(key: bytes, rows: Iterable[UUID], below: str) -> list[UUID]:
    """Return the drawn rows in the order of their hashes, which tells nothing about them."""
    return sorted((row for row in rows if is_drawn(key, row, below)), key=lambda row: place_of(key, row))


def period_of(day: date) -> str:
    """Return the day's ISO week, such as "2026-W48"."""
    year, week, _weekday = day.isocalendar()
    return f"{year}-W{week:02}"


def midnight(day: date) -> datetime:
    """Return the day's beginning in the company's time zone."""
    return datetime.combine(day, time(), tzinfo=zone_named(""))


def weeks_before(moment: datetime, count: int) -> Iterator[date]:
    """Yield the Mondays of the last complete weeks before a moment, oldest first."""
    today = moment.astimezone(zone_named("")).date()
    this = today - timedelta(days=today.weekday())
    for weeks in range(count, 0, -1):
        yield this - weeks * _WEEK


def _chance(share: float, least: int, frame: int) -> float:
    """Return the chance at which at least ``least`` of the frame are expected."""
    return min(1.0, max(share, least / frame if frame else 0.0))
