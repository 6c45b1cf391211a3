"""Questions to the second reader about alerts, and the effect of its answers.

Every question is stored before it is asked, and ends exactly once, with an event. No notice is delayed by more
than ``MAX_DELAY``; docs/decisions/0006-second-reader.md discusses crashes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, Q
from django.utils import timezone

from crm_contact_guard.detection.types import Tier
from crm_contact_guard.dispatch import later
from crm_contact_guard.hosting import database, retrying
from crm_contact_guard.notices import outbox
from crm_contact_guard.notices.models import Notice
from crm_contact_guard.reading import asking, prompt
from crm_contact_guard.reading.answers import Answer
from crm_contact_guard.reading.bounds import decide
from crm_contact_guard.reading.models import ReaderAnswer
from crm_contact_guard.reading.options import Options, options
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.supervision.alerts import Verdict
from crm_contact_guard.supervision.models import Alert, Topic
from crm_contact_guard.supervision.second_reading import reader_effects, reader_talk
from crm_contact_guard.supervision.second_reading.reader_talk import Question

#: Maximum number of times that a question is asked. It is repeated only if the process that asked it died.
ATTEMPTS = 2
#: A worker counts as dead this long after the timeout of its last request.
_GRACE = timedelta(seconds=5)
State, Outcome = ReaderAnswer.State, ReaderAnswer.Outcome


@dataclass(frozen=True, kw_only=True)
class Noticed:
    """A noticed finding of the first stages, without an alert. ``by`` is the side that may have made an attempt."""

    by: str
    score: float


def notice_delay(verdict: Verdict) -> timedelta:
    """Return how long the email about a new alert waits for the reader, which may demote the alert."""
    chosen = options()
    if chosen is None or verdict.topic != Topic.OFF_CHANNEL:
        return timedelta(0)
    score = max((finding.score for finding in verdict.findings), default=1.0)
    return chosen.patience if chosen.bounds.may_demote(score) else timedelta(0)


def concerns(verdicts: Iterable[Verdict]) -> list[Noticed]:
    """Return an inspection's noticed verdicts about leaving the company's channels, for ``consider``."""
    return [
        Noticed(by=verdict.by, score=max(finding.score for finding in verdict.findings))
        for verdict in verdicts
        if verdict.tier == Tier.NOTICED and verdict.topic == Topic.OFF_CHANNEL and verdict.findings
    ]


def consider(message: Message, *, alerts: Iterable[Alert], noticed: Iterable[Noticed] = ()) -> None:
    """Queue questions about alerts and noticed findings from the inspection of ``message``, in its transaction."""
    chosen = options()
    if chosen is None:
        return
    now = timezone.now()
    for alert in {alert.pk: alert for alert in alerts if alert.topic == Topic.OFF_CHANNEL}.values():
        waiting = outbox.about("alert", alert.pk).filter(state=Notice.State.QUEUED, attempts=0, due_at__gt=now).first()
        if waiting is None and alert.readings.exists():
            continue  # somebody was notified already, so further findings change nothing
        until = waiting.due_at if waiting is not None and waiting.due_at is not None else now + chosen.patience
        score = max((finding.score for finding in alert.findings.all()), default=1.0)
        _question(message, Tier.ALERT, by=alert.by, score=score, alert=alert, deadline=until)
    for concern in noticed:
        if chosen.bounds.may_promote(concern.score) and not _warned_of(message, concern.by):
            _question(message, Tier.NOTICED, by=concern.by, score=concern.score, deadline=now + chosen.patience)


def _warned_of(message: Message, by: str) -> bool:
    opened = Alert.objects.filter(conversation=message.conversation_id, topic=Topic.OFF_CHANNEL, by=by)
    return opened.filter(window_ends_at__gt=message.occurred_at).exclude(status=Alert.Status.CLOSED).exists()


def _question(
    message: Message, tier: Tier, *, by: str, score: float, deadline: datetime, alert: Alert | None = None
) -> None:
    row, is_new = ReaderAnswer.objects.get_or_create(
        message=message,
        by=by,
        first_tier=tier.value,
        defaults={"score": score, "alert": alert, "deadline": deadline, "created_at": timezone.now()},
    )
    if is_new:
        _record(row, "reader.asked")
        later("reader_ask", str(row.pk))


def due(limit: int = 200) -> list[UUID]:
    """Return the IDs of questions that are waiting or were left by a dead worker.

    Questions whose deadline has passed are included, so that they end.
    """
    return list(
        ReaderAnswer.objects.filter(_is_free(timezone.now()))
        .order_by("created_at")
        .values_list("pk", flat=True)[:limit]
    )


def _is_free(now: datetime) -> Q:
    return Q(state=State.WAITING) | retrying.left(now, held=State.ASKING)


def ask(answer_id: UUID) -> UUID | None:
    """Ask one question and apply the answer. Return the ID of the alert whose notices must be sent now, if any.

    Concurrent calls are harmless: a claim is a conditional UPDATE, and only the answer to the newest claim counts.
    """
    row = ReaderAnswer.objects.select_related("message__conversation", "alert").filter(pk=answer_id).first()
    if row is None or row.state in (State.ANSWERED, State.FAILED):
        return None
    chosen = options()
    refusal = _refusal(row, chosen)
    question = None if refusal or chosen is None else reader_talk.question(row, chosen)
    if question is None and not refusal:
        refusal = "erased"
    if not _claim(row, chosen):
        return None
    if question is None or chosen is None:
        return _settle(row, asking.Reply(error=refusal), question=None, chosen=chosen)
    seconds_left = (row.deadline - timezone.now()).total_seconds()
    reply = asking.ask(question.prompt, chosen, seconds=seconds_left)
    return _settle(row, reply, question=question, chosen=chosen)


def _refusal(row: ReaderAnswer, chosen: Options | None) -> str:
    """Return why the question can no longer be asked; empty if it can."""
    if chosen is None:
        return "off"
    if row.attempts >= ATTEMPTS:
        return "crashed"
    return "late" if timezone.now() >= row.deadline else ""


@database.atomic()
def _claim(row: ReaderAnswer, chosen: Options | None) -> bool:
    now = timezone.now()
    wait = timedelta(seconds=2 * chosen.timeout) if chosen is not None else timedelta(0)
    claimed = ReaderAnswer.objects.filter(_is_free(now), pk=row.pk, attempts=row.attempts).update(
        state=State.ASKING,
        attempts=F("attempts") + 1,
        lease_until=min(now + wait, max(row.deadline, now)) + _GRACE,
        asked_at=now,
        model=chosen.model if chosen is not None else "",
        prompt_version=prompt.VERSION,
    )
    row.attempts += 1
    if claimed:
        _record(ReaderAnswer.objects.select_related("message__conversation").get(pk=row.pk), "reader.attempted")
    return bool(claimed)


@database.atomic()
def _settle(
    row: ReaderAnswer, reply: asking.Reply, *, question: Question | None, chosen: Options | None
) -> UUID | None:
    """Record the reply and apply it in one transaction. The conversation's row is the lock, as for every alert."""
    Conversation.objects.select_for_update().get(pk=row.message.conversation_id)
    # Lock the messages before the question, in the same order as an erasure.
    rows = question.still_there() if question is not None else {}
    stored = ReaderAnswer.objects.select_for_update().get(pk=row.pk)
    if stored.state != State.ASKING or stored.attempts != row.attempts:
        return None  # another worker took over the question, and its answer counts
    now = timezone.now()
    error = reply.error or ("late" if now > stored.deadline else "")
    rows = question.still_there() if question is not None and not error else {}
    changes: dict[str, Any] = {"answered_at": now, "lease_until": None, "tier": row.first_tier}
    changes |= {"answer_digest": reply.body, "request_digest": reply.requests[-1] if reply.requests else ""}
    if error or reply.answer is None or question is None or chosen is None or not rows:
        changes |= {"state": State.FAILED, "error": (error or "erased")[:32]}
    else:
        changes |= _follow(row, reply.answer, question, chosen, rows)
    ReaderAnswer.objects.filter(pk=row.pk).update(**changes)
    stored = ReaderAnswer.objects.select_related("message__conversation").get(pk=row.pk)
    _event(stored, reply, question)
    if stored.alert_id is None or stored.outcome == Outcome.DEMOTED or _is_asked_about(stored.alert_id):
        return None
    # No open question about the alert remains, so its notices no longer have to wait.
    outbox.bring_forward("alert", stored.alert_id)
    return stored.alert_id


def _is_asked_about(alert_id: UUID) -> bool:
    return ReaderAnswer.objects.filter(alert=alert_id, state__in=(State.WAITING, State.ASKING)).exists()


def _follow(
    row: ReaderAnswer, answer: Answer, question: Question, chosen: Options, rows: Mapping[UUID, Message]
) -> dict[str, Any]:
    """Apply a valid answer within the bounds. Return the values to store."""
    first, named = Tier(row.first_tier), rows[question.ids[answer.message]]
    # An attempt by the other side says nothing about this side, which the question was about.
    attempt = None if answer.by is not None and answer.by.value != row.by else answer.attempt
    trusted = question.prompt.complete and not question.prompt.addressed
    decided = decide(first, row.score, attempt, chosen.bounds, may_trust_no=trusted)
    tier, alert = reader_effects.carry_out(row, first, decided, named)
    return {
        "state": State.ANSWERED,
        "attempt": answer.attempt,
        "attempt_by": answer.by.value if answer.by is not None else "",
        "attempt_at": named if answer.attempt else None,
        "why": answer.why,
        "tier": tier.value,
        "outcome": _outcome(first, tier, attempt),
        "alert": alert,
    }


def _outcome(first: Tier, tier: Tier, attempt: bool | None) -> str:
    if attempt is None:
        return ""
    if tier is not first:
        return Outcome.PROMOTED if tier is Tier.ALERT else Outcome.DEMOTED
    return Outcome.AGREED if attempt is (first is Tier.ALERT) else Outcome.OVERRULED


def _event(row: ReaderAnswer, reply: asking.Reply, question: Question | None) -> None:
    answered = row.state == State.ANSWERED
    data: dict[str, object] = {
        "message": str(row.message_id),
        "alert": str(row.alert_id) if row.alert_id else None,
        "first_tier": row.first_tier,
        "tier": row.tier,
        "model": row.model,
        "prompt": row.prompt_version,
        "requests": list(reply.requests) or ([row.request_digest] if row.request_digest else []),
        "answer": row.answer_digest or None,
    }
    if answered:
        data |= {
            "attempt": row.attempt,
            "by": row.attempt_by or None,
            "at_message": str(row.attempt_at_id) if row.attempt_at_id else None,
            "outcome": row.outcome,
            "addressed": question is not None and question.prompt.addressed,
            "complete": question is not None and question.prompt.complete,
        }
    else:
        data["error"] = row.error
    _record(row, "reader.answered" if answered else "reader.failed", data)


def _record(row: ReaderAnswer, kind: str, data: Mapping[str, object] | None = None) -> None:
    record_event(
        kind=kind,
        subject_type="reading",
        subject_id=row.pk,
        actor_type=Event.ActorType.SYSTEM,
        conversation=row.message.conversation,
        message=row.message,
        data=data,
        row=row,
    )


def reading_of(alert: Alert) -> ReaderAnswer | None:
    """Return the newest answer about the alert whose explanation hasn't been erased."""
    answers = alert.readings.filter(state=State.ANSWERED, why__isnull=False).exclude(why="")
    return answers.order_by("-answered_at", "-pk").first()
