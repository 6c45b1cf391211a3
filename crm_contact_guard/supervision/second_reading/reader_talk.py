"""Collects the context of a question to the second reader: the message, earlier messages, and the people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings as django_settings

from crm_contact_guard.detection.types import By
from crm_contact_guard.policy.versions.current import company_now
from crm_contact_guard.reading import prompt
from crm_contact_guard.reading.masking import People
from crm_contact_guard.reading.models import ReaderAnswer
from crm_contact_guard.reading.options import Options
from crm_contact_guard.record.models import Direction, Message
from crm_contact_guard.record.reached import reached
from crm_contact_guard.supervision.alerts import TOPICS, by_side
from crm_contact_guard.supervision.models import Finding, FindingKind, Topic
from crm_contact_guard.supervision.routing import addressee

_AGE = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Question:
    """A prompt and the IDs of its messages, in order."""

    prompt: prompt.Prompt
    ids: tuple[UUID, ...]

    def still_there(self) -> dict[UUID, Message]:
        """Lock and return the messages. Empty if one has been erased, since the answer must not be stored then."""
        rows = {row.pk: row for row in Message.objects.select_for_update().filter(pk__in=self.ids)}
        return rows if len(rows) == len(self.ids) and all(row.salt is not None for row in rows.values()) else {}


def question(row: ReaderAnswer, chosen: Options) -> Question | None:
    """Return the question to ask, or None if the message's text was erased."""
    message = row.message
    if not message.text:
        return None
    rows = _talk(message)
    findings = Finding.objects.filter(message__in=rows, by=row.by).select_related("message")
    of_topic = [finding for finding in findings if TOPICS.get(finding.kind) == Topic.OFF_CHANNEL]
    asked = prompt.build(_lines(rows, of_topic), _people(message, rows), language=chosen.language or _language(message))
    # The content of files isn't sent to the reader, which therefore can't judge it to be harmless.
    if any(finding.place for finding in of_topic):
        asked = prompt.without_files(asked)
    return Question(prompt=asked, ids=tuple(each.pk for each in rows[asked.first :]))


def _talk(message: Message) -> list[Message]:
    earlier = Message.objects.filter(
        conversation_id=message.conversation_id,
        occurred_at__lte=message.occurred_at,
        occurred_at__gte=message.occurred_at - _AGE,
        salt__isnull=False,
    ).exclude(pk=message.pk)
    without_notes = reached(earlier).exclude(direction=Direction.NOTE).select_related("employee")
    return [*list(without_notes.order_by("-occurred_at", "-id")[: prompt.MESSAGES * 2])[::-1], message]


def _lines(rows: Sequence[Message], findings: Sequence[Finding]) -> list[prompt.Line]:
    lines, previous = [], rows[0].occurred_at
    for row in rows:
        own = [finding for finding in findings if finding.message_id == row.pk and not finding.place]
        spans = [(each.start, each.end) for each in own if each.kind == FindingKind.CONTACT_IDENTIFIER]
        lines.append(
            prompt.Line(
                side=By(by_side(row.direction)),
                text=row.text or "",
                pause=(row.occurred_at - previous).total_seconds() / 60,
                evidence=tuple(spans),
                telling=bool(own),
            )
        )
        previous = row.occurred_at
    return lines


def _people(message: Message, rows: Sequence[Message]) -> People:
    customer = message.conversation.customer
    employees = [message.conversation.employee, *(row.employee for row in rows)]
    inbound = [row for row in rows if row.direction == Direction.INBOUND]
    return People(
        customer_names=tuple({customer.name, *(row.from_name or "" for row in inbound)} - {""}),
        employee_names=tuple({person.name for person in employees if person is not None}),
        customer_addresses=tuple(
            {*customer.addresses.values_list("value", flat=True), *(row.from_address or "" for row in inbound)} - {""}
        ),
        company=company_now(),
    )


def _language(message: Message) -> str:
    person = addressee(message.conversation)
    language = (person.language if person is not None else "") or django_settings.LANGUAGE_CODE
    return "ja" if language.startswith("ja") else "en"
