"""Completeness: what a carrier says it carried, compared with what is recorded, per channel and day.

What was missed and can be fetched is taken in as if its webhook had come. The rest, and messages that went out past the
company's record, is a gap that people are told of.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from django.conf import settings as django_settings
from django.core.mail import EmailMessage
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import Carried, Channel
from crm_contact_guard.conf import settings
from crm_contact_guard.conversations.carrier_events import event_key
from crm_contact_guard.conversations.models import CarrierEventId
from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.exceptions import ChannelError
from crm_contact_guard.hosting.mailing import send_by_host
from crm_contact_guard.intake.events import take
from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.record.recording import record_event

logger = logging.getLogger(__name__)

GAP = "carrier.gap"
_BATCH = 500


@dataclass(frozen=True)
class Reconciled:
    """One channel and day: what the carrier named, what was missing and is now recorded, and what can't be had.

    ``asked`` False: the carrier's API does not tell. ``error``: it could not be asked.
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
        """Whether all that the carrier named is on record."""
        return self.asked and not self.gaps and not self.error


def reconcile(channel: Channel, day: date, *, dry_run: bool = False) -> Reconciled:
    """Compare one day (UTC) of one channel. With ``dry_run`` nothing is recorded: what could be fetched counts as gap.

    Harmless to repeat: what is recorded by then is no gap, and a gap is told once.
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
        told = [gap for gap in result.gaps if _record(channel.alias, gap)]
        if told:
            _warn(channel, day, len(told))
    return Reconciled(channel.alias, day, carried=count, fetched=result.fetched, gaps=result.gaps)


def _batches(carried: Iterable[Carried]) -> Iterator[list[Carried]]:
    batch: list[Carried] = []
    for one in carried:
        batch.append(one)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _missed(alias: str, batch: list[Carried]) -> list[Carried]:
    """Those that neither a message nor an event of ours knows. Three queries."""
    ids = [one.carrier_id[:255] for one in batch if one.carrier_id]
    known = set(Message.objects.filter(channel=alias, carrier_id__in=ids).values_list("carrier_id", flat=True))
    sent = Delivery.objects.filter(message__channel=alias, carrier_id__in=ids)
    known |= set(sent.values_list("carrier_id", flat=True))
    events = [event_key(one.event.event_id) for one in batch if one.event is not None]
    seen = set(
        CarrierEventId.objects.filter(Q(channel=alias), event_id__in=[*events, *ids]).values_list("event_id", flat=True)
    )
    return [
        one
        for one in batch
        if one.carrier_id[:255] not in known | seen and not (one.event and event_key(one.event.event_id) in seen)
    ]


def _fetched(missed: Carried) -> bool:
    try:
        return missed.event is not None and take(missed.event)
    except Exception:
        # One event that can't be recorded must not hide the others; it stays a gap, and the trace is logged.
        logger.exception("An event that the carrier told of could not be recorded")
        return False


def _record(alias: str, gap: Carried) -> bool:
    """Record a gap, once. The carrier's id may hold an address: it is kept where it can be erased."""
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
    """One mail to each compliance officer: that there are gaps, never of whom."""
    for person in Employee.objects.filter(active=True, role=Role.COMPLIANCE).exclude(email=""):
        with translation.override(person.language or django_settings.LANGUAGE_CODE):
            words = {"channel": channel.verbose_name, "day": day.isoformat(), "count": count, "company": _company()}
            body = _(
                "%(channel)s says it carried %(count)d messages on %(day)s that are not in the record and could not be "
                "fetched. Messages sent past %(company)s's own pages look like this. Please look into the carrier's "
                "own log."
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
                # The gap is on record and the command's exit code says it; a mail server must not stop the rest.
                logger.exception("The mail about gaps of %s on %s did not go out", channel.alias, day)


def _company() -> str:
    return settings.company_name


def _link() -> str:
    return str(settings.PUBLIC_URL).rstrip("/") + reverse("crm_contact_guard:dashboard")


def channels(aliases: Iterable[str] = ()) -> list[Channel]:
    """The named channels, or all."""
    return [registry.channel(alias) for alias in (aliases or registry.aliases())]


def yesterday() -> date:
    """The last whole day in UTC."""
    now: datetime = timezone.now().astimezone(UTC)
    return date.fromordinal(now.date().toordinal() - 1)
