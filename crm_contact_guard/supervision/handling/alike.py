"""Alerts about the same words of one employee to several customers, such as a template, a signature or a greeting with
a phone number. They are one judgement: one act decides all of them, and figures count it once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Q

from crm_contact_guard.detection.text.normalise import normalise
from crm_contact_guard.detection.text.sentences import sentences_of
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.hosting import database
from crm_contact_guard.record.models import Direction
from crm_contact_guard.supervision.handling.bulk import MOST, Outcome, close_together
from crm_contact_guard.supervision.handling.moving import reviewed
from crm_contact_guard.supervision.models import Alert, Finding, Side
from crm_contact_guard.supervision.rights import alerts

#: Stands for the customer's name in the words, so that a greeting is the same for everybody.
NAME: Final = "\N{BULLET}"
#: The columns that ``Words.add`` reads from a finding.
COLUMNS: Final = (
    "alert",
    "place",
    "start",
    "end",
    "message__text",
    "message__direction",
    "message__employee",
    "message__customer__name",
)


class Words:
    """The sentences with the evidence of one alert, normalised."""

    def __init__(self) -> None:
        self._said: set[tuple[UUID, str]] = set()
        self._comparable = True

    def add(self, finding: Finding) -> None:
        """Add the sentence of a finding, whose message and customer are loaded."""
        message = finding.message
        if message.direction != Direction.OUTBOUND or message.employee_id is None or finding.place or not message.text:
            self._comparable = False
            return
        sentence = _sentence(message.text, finding.start, finding.end)
        self._said.add((message.employee_id, _normalised(sentence, message.customer.name)))

    @property
    def key(self) -> tuple[tuple[str, str], ...] | None:
        """The key that alike alerts share. None if there is nothing to compare: a customer's words, a file, a text
        that was erased.
        """
        said = sorted((str(sender), words) for sender, words in self._said)
        return tuple(said) if self._comparable and said and all(words for _sender, words in said) else None


def words_of(found: Iterable[Alert]) -> dict[UUID, tuple[tuple[str, str], ...]]:
    """Return the keys of those alerts that have one, by alert ID."""
    keys = [alert.pk for alert in found if alert.by == Side.EMPLOYEE]
    words: dict[UUID, Words] = {key: Words() for key in keys}
    rows = Finding.objects.filter(alert__in=keys) if keys else Finding.objects.none()
    for finding in rows.select_related("message__customer").only(*COLUMNS):
        if finding.alert_id is not None:
            words[finding.alert_id].add(finding)
    return {alert: one.key for alert, one in words.items() if one.key is not None}


def alike(alert: Alert, viewer: Employee) -> list[Alert]:
    """Return the other alerts with the same words that the viewer can close now, newest first, at most ``MOST``."""
    key = words_of([alert]).get(alert.pk)
    if key is None:
        return []
    free = Q(status__in=(Alert.Status.OPEN, Alert.Status.REVIEW))
    mine = Q(status=Alert.Status.CLAIMED, claimed_by=viewer)
    rows = alerts(viewer).filter(free | mine, topic=alert.topic, by=alert.by, at_message__employee=UUID(key[0][0]))
    others = rows.exclude(pk=alert.pk).select_related("conversation__customer", "conversation__employee", "concerned")
    found = list(others.order_by("-opened_at", "-pk")[: MOST - 1])
    keys = words_of(found)
    return [one for one in found if keys.get(one.pk) == key]


def alerts_close_alike(
    *, alert_id: UUID, reviewer: Employee, resolution: str, comment: str = "", as_of: datetime
) -> Outcome:
    """Close an alert, and those with the same words that haven't changed since ``as_of``, in one act.

    Each alert keeps its own history, which names the act. Raise what ``alert_close`` raises for the first one, before
    anything else is closed.
    """
    with database.atomic():
        first = reviewed(alert_id, reviewer)
        others = alike(first, reviewer)
    seen = {first.pk: first.updated_at, **{one.pk: one.updated_at for one in others if one.updated_at <= as_of}}
    return close_together(seen=seen, first=first.pk, reviewer=reviewer, resolution=resolution, comment=comment)


def _sentence(text: str, start: int, end: int) -> str:
    parts = [text[first:last] for first, last in sentences_of(text) if first < max(end, start + 1) and last > start]
    return " ".join(parts)


def _normalised(sentence: str, customer: str) -> str:
    """Return the letters and digits of a sentence, folded, with the customer's name replaced."""
    words = normalise(sentence).text
    name = normalise(customer).text
    for part in sorted({name, *name.split()}, key=len, reverse=True):
        if len(part) > 1:
            words = words.replace(part, NAME)
    return "".join(one for one in words if one.isalnum() or one == NAME)
