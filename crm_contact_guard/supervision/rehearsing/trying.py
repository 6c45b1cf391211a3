"""Tries rules on recorded messages: other decisions before sending, and alerts that would appear or vanish.

Nothing is changed or recorded, and memory is bounded. Only the messages' text is judged again; evidence in files and
repeated contact stay as they were recorded. Messages that were blocked are not in the record and aren't tried.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet

from crm_contact_guard import crm, detection
from crm_contact_guard.conf import settings
from crm_contact_guard.conversations import quotes
from crm_contact_guard.detection.types import Direction, Kind
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.policy import moments, rulebook
from crm_contact_guard.policy.actions import Action
from crm_contact_guard.policy.presets.rule_names import Evidence
from crm_contact_guard.policy.rulebook import Rulebook
from crm_contact_guard.policy.versions.current import company_now
from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.record.reached import reached
from crm_contact_guard.supervision import inspection, verdicts
from crm_contact_guard.supervision.models import Alert, Finding, Tier, Topic
from crm_contact_guard.supervision.rehearsing.totals import Rehearsal
from crm_contact_guard.supervision.talks import as_thread, talk_up_to

#: Number of messages read at a time.
BATCH: Final = 200
#: Number of an alert's messages that are judged again.
EVIDENCE: Final = 8
#: How much later than it occurred a message is recorded at most. Later ones may open an alert anew.
_LATE: Final = timedelta(days=7)
#: Evidence that isn't in the text, and therefore stays.
_STAYS: Final = ~Q(place="") | Q(kind=Kind.REPEATED_CONTACT.value) | Q(detector=verdicts.MESSAGE_UNREAD)


def messages_between(*, tenant: str, since: datetime, until: datetime) -> QuerySet[Message]:
    """Return the live messages with a text that were recorded in the period."""
    return Message.objects.filter(
        tenant=tenant, source="live", text__isnull=False, recorded_at__gte=since, recorded_at__lt=until
    )


def rehearse(
    *, rules: Rulebook, tenant: str, since: datetime, until: datetime, total: Rehearsal, batch: int = BATCH
) -> Iterator[int]:
    """Try the rules on the live messages recorded in the period, oldest first, and add the results to ``total``.

    Go on after ``total.last``. Yield the number of messages so far after every ``batch`` messages. ``since`` and
    ``until`` are aware.
    """
    rows = messages_between(tenant=tenant, since=since, until=until)
    rows = rows.select_related("conversation__customer", "employee").order_by("recorded_at", "id")
    with crm.tenant(tenant):
        while page := list(rows.filter(_after(total.last))[:batch]):
            went = set(reached(Message.objects.filter(pk__in=[row.pk for row in page])).values_list("pk", flat=True))
            for message in page:
                total.messages += 1
                if message.direction == Direction.OUTBOUND.value and message.employee is not None:
                    _decide(message, message.employee, rules, total)
                if message.pk in went:
                    _warn(message, rules, total)
            last = page[-1]
            total.last = last.recorded_at, last.pk
            long_ago = last.recorded_at - _LATE
            total.open_until = {key: at for key, at in total.open_until.items() if at > long_ago}
            yield total.messages


def _after(last: tuple[datetime, UUID] | None) -> Q:
    if last is None:
        return Q()
    return Q(recorded_at__gt=last[0]) | Q(recorded_at=last[0], id__gt=last[1])


def _decide(message: Message, writer: Employee, rules: Rulebook, total: Rehearsal) -> None:
    """Compare the decision before sending with the recorded one. A message without a recorded one just went out."""
    total.outbound += 1
    event = Event.objects.filter(message=message, kind__startswith="decision.").order_by("recorded_at", "id").first()
    recorded: dict[str, Any] = json.loads(event.data) if event is not None else {}
    scan = verdicts.told_beforehand(
        detection.scan(
            message.text or "",
            direction=Direction.OUTBOUND,
            company=company_now(rules),
            said=quotes.words_before(message),
        )
    )
    evidence = rulebook.evidence_of(scan)
    if any(finding.get("place") for finding in recorded.get("findings", ())):
        evidence += [Evidence(**one) for one in recorded["evidence"]]
    applied = rules.apply(dict.fromkeys(evidence), **_time(message, writer, recorded))
    did = Action(recorded.get("decision", Action.DELIVER))
    would = Action.DELIVER if inspection.is_emergency(message) else rulebook.strictest(applied)
    total.before[did] += 1
    total.after[would] += 1
    for one in applied:
        total.rules[one.rule].add(message.pk)
    if did is not would:
        total.decisions[did, would].add(message.pk)


def _time(message: Message, writer: Employee, recorded: dict[str, Any]) -> dict[str, bool]:
    """Return the objections to the time: the recorded ones, or else those of today's calendars."""
    if "after_hours" in recorded:
        return {name: bool(recorded[name]) for name in ("after_hours", "quiet_hours")}
    if inspection.is_emergency(message):
        return {"after_hours": False, "quiet_hours": False}
    found = moments.moment_of(writer, message.occurred_at, conversation=message.conversation, besides=message.pk)
    return {"after_hours": found.after_hours, "quiet_hours": found.quiet_applies}


def _warn(message: Message, rules: Rulebook, total: Rehearsal) -> None:
    """Compare the alerts about leaving the channels that the message would raise with the recorded ones."""
    sides = warned_sides(message, rules)
    for side in sides:
        key = message.conversation_id, side
        alerts = Alert.objects.filter(conversation=message.conversation, topic=Topic.OFF_CHANNEL, by=side)
        covered = alerts.filter(
            Q(at_message__occurred_at__lte=message.occurred_at, window_ends_at__gt=message.occurred_at)
            | Q(findings__message=message)
        )
        until = total.open_until.get(key)
        if (until is None or until <= message.occurred_at) and not covered.exists():
            total.appearing[side].add(message.pk)
            total.open_until[key] = message.occurred_at + settings.alert_window
    for alert in Alert.objects.filter(at_message=message, topic=Topic.OFF_CHANNEL):
        if alert.by not in sides and not _stays(alert, message, rules):
            total.vanishing[alert.by].add(message.pk)


def _stays(alert: Alert, message: Message, rules: Rulebook) -> bool:
    """Whether an alert has other evidence that would raise it."""
    if alert.findings.filter(_STAYS).exists():
        return True
    others = Message.objects.filter(pk__in=Finding.objects.filter(alert=alert).values("message"), text__isnull=False)
    newest = others.exclude(pk=message.pk).order_by("-occurred_at", "-id")[:EVIDENCE]
    return any(alert.by in warned_sides(other, rules) for other in newest)


def warned_sides(message: Message, rules: Rulebook) -> set[str]:
    """Return the sides about whom the message's text would raise an alert about leaving the channels."""
    rows = talk_up_to(message)
    company = company_now(rules)
    found = verdicts.of_talk(
        rows,
        detection.read_message(
            as_thread(rows), company=company, semantic_stage=settings.semantic, said=quotes.words_before(message)
        ),
    )
    found += inspection.reported(message, company)
    return {one.by for one in found if one.topic == Topic.OFF_CHANNEL and one.tier == Tier.ALERT}
