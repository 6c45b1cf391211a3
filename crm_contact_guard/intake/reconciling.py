"""Reconciliation: compare the record with the carrier's log, per channel and day.

Missing messages that can be fetched are processed as if their webhooks had arrived. All others, including messages sent
without this app, are gaps. They are recorded and reported to compliance officers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from django.conf import settings as django_settings
from django.core.mail import EmailMessage
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import Carried, Channel
from crm_contact_guard.conf import settings
from crm_contact_guard.conversations.carrier_events import event_key
from crm_contact_guard.conversations.models import CarrierEventId
from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.exceptions import ChannelError
from crm_contact_guard.hosting import logs
from crm_contact_guard.hosting.languages import speaking
from crm_contact_guard.hosting.mailing import send_by_host
from crm_contact_guard.intake.events import take
from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.record.recording import record_event

logger = logs.logger(__name__)

GAP = "carrier.gap"
_BATCH = 500


@dataclass(frozen=True)
class Reconciled:
    """The result for one channel and day: the number of items in the carrier's log, the items recovered, and the gaps.

    ``asked`` is False if the carrier has no log. ``error`` is set if the log could not be read.
    """

    channel: str
    day: date
    asked: bool = True
    carried: int = 0
    fetched: list[Carried] = field(default_factory=list)
    gaps: list[Carried] = field(default_factory=list)
    error: str = ""

    @property
    def complete(self) -> bool:
        """Whether everything in the carrier's log is recorded."""
        return self.asked and not self.gaps and not self.error


def reconcile(channel: Channel, day: date, *, dry_run: bool = False) -> Reconciled:
    """Compare one day (UTC) of one channel. With ``dry_run``, nothing is recorded and all missing items are gaps.

    Safe to repeat, since each gap is recorded and reported once.
    """
    if not channel.supports_carried:
        return Reconciled(channel.alias, day, asked=False)
    result = Reconciled(channel.alias, day)
    count = 0
    try:
        for batch in _batches(channel.carried(day)):
            count += len(batch)
            for missed in _missed(channel.alias, batch):
                if dry_run or missed.event is None or not _fetched(missed):
                    result.gaps.append(missed)
                else:
                    result.fetched.append(missed)
    except ChannelError as error:
        return Reconciled(channel.alias, day, carried=count, fetched=result.fetched, gaps=result.gaps, error=str(error))
    if not dry_run:
        new = [gap for gap in result.gaps if _record(channel.alias, gap)]
        if new:
            _warn(channel, day, len(new))
    return Reconciled(channel.alias, day, carried=count, fetched=result.fetched, gaps=result.gaps)


def _batches(carried: Iterable[Carried]) -> Iterator[list[Carried]]:
    batch: list[Carried] = []
    for item in carried:
        batch.append(item)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _missed(alias: str, batch: list[Carried]) -> list[Carried]:
    """Return the items that are neither a recorded message nor a processed event. Takes three queries."""
    ids = [item.carrier_id[:255] for item in batch if item.carrier_id]
    recorded = set(Message.objects.filter(channel=alias, carrier_id__in=ids).values_list("carrier_id", flat=True))
    sent = Delivery.objects.filter(message__channel=alias, carrier_id__in=ids)
    recorded |= set(sent.values_list("carrier_id", flat=True))
    events = [event_key(item.event.event_id) for item in batch if item.event is not None]
    seen = set(
        CarrierEventId.objects.filter(Q(channel=alias), event_id__in=[*events, *ids]).values_list("event_id", flat=True)
    )
    return [
        item
        for item in batch
        if item.carrier_id[:255] not in recorded | seen and not (item.event and event_key(item.event.event_id) in seen)
    ]


def _fetched(missed: Carried) -> bool:
    try:
        return missed.event is not None and take(missed.event)
    except Exception:
        # One event that can't be recorded must not affect the others; it remains a gap.
        logger.exception("An event from the carrier's log could not be recorded")
        return False


def _record(alias: str, gap: Carried) -> bool:
    """Record a gap once. The carrier's ID may contain an address, so it is in ``details``, which can be erased."""
    key = hashlib.sha256(f"{alias}\0{gap.carrier_id}".encode()).hexdigest()
    if Event.objects.filter(kind=GAP, subject_type="carrier", subject_id=key).exists():
        return False
    record_event(
        kind=GAP,
        subject_type="carrier",
        subject_id=key,
        actor_type=Event.ActorType.CARRIER,
        occurred_at=gap.occurred_at,
        data={"channel": alias, "inbound": gap.inbound},
        details={"carrier_id": gap.carrier_id},
    )
    return True


def _warn(channel: Channel, day: date, count: int) -> None:
    """Email each compliance officer the number of gaps, without names."""
    for person in Employee.objects.filter(active=True, role=Role.COMPLIANCE).exclude(email=""):
        with speaking(person.language or django_settings.LANGUAGE_CODE):
            words = {"channel": channel.verbose_name, "day": day.isoformat(), "count": count, "company": _company()}
            body = _(
                "%(channel)s lists %(count)d messages on %(day)s that are not in the record and could not be fetched. "
                "They may have been sent without %(company)s's pages. Please check the carrier's log."
            )
            mail = EmailMessage(
                subject=_("Messages missing in the record: %(channel)s, %(day)s") % words,
                body=f"{body % words}\n\n{_link()}\n",
                to=[person.email],
                headers={"Auto-Submitted": "auto-generated"},
            )
            try:
                send_by_host(mail)
            except Exception:
                # The gap is recorded, and the command's exit code reports it.
                logger.exception("Could not send the mail about gaps of %s on %s", channel.alias, day)


def _company() -> str:
    return settings.company_name


def _link() -> str:
    return str(settings.PUBLIC_URL).rstrip("/") + reverse("crm_contact_guard:dashboard")


def channels(aliases: Iterable[str] = ()) -> list[Channel]:
    """Return the named channels, or all of them."""
    return [registry.channel(alias) for alias in (aliases or registry.aliases())]


def yesterday() -> date:
    """Return the previous day in UTC."""
    now: datetime = timezone.now().astimezone(UTC)
    return date.fromordinal(now.date().toordinal() - 1)
