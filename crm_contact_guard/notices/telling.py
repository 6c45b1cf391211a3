"""The one function that raises notices. It decides nothing but who is told; preferences decide when and how."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q
from django.utils import timezone

from crm_contact_guard.conf import settings
from crm_contact_guard.directory.models import Employee, Team
from crm_contact_guard.dispatch import later
from crm_contact_guard.hosting import database
from crm_contact_guard.hosting.insert_once import insert_once
from crm_contact_guard.notices import digests, preferences, standing_in, targets, times
from crm_contact_guard.notices.events import record_notice
from crm_contact_guard.notices.models import EMAIL, IN_APP, Cadence, Notice
from crm_contact_guard.notices.preferences import Choice
from crm_contact_guard.notices.topics import DIGEST
from crm_contact_guard.notices.topics import topic as topic_named
from crm_contact_guard.record.models import Conversation

_DAY: Final = timedelta(days=1)


@database.atomic()
def tell(
    *,
    topic: str,
    subject: tuple[str, object],
    people: Iterable[Employee],
    now: bool = False,
    not_before: datetime | None = None,
    conversation: Conversation | None = None,
    team: Team | None = None,
) -> list[Notice]:
    """Tell people about a subject, each of them once. Return the new notices in the app.

    ``topic`` is the name of a registered ``topics.Topic``. ``subject`` is a type and an ID, such as
    ``("alert", alert.pk)``. Telling the same people about the same subject again has no effect, whatever happens at the
    same time. If the topic is a duty, whoever stands in is told instead of a person who is away. Call it in the
    transaction of the change that it is about; sending starts after the commit.

    ``now``: don't wait for a digest or for working hours. ``not_before``: nothing is shown or sent earlier.
    ``conversation`` is recorded with the notices. ``team``: the team whose targets (setting ``NOTIFY``) are told too.
    Raise KeyError for an unknown topic.
    """
    named = topic_named(topic)
    at = max(timezone.now(), not_before) if not_before is not None else timezone.now()
    about = (topic, subject[0], str(subject[1]))
    people = standing_in.reached(people, named, str(subject[1]), at)
    told = [
        notice
        for person in sorted({person.pk: person for person in people if person.active}.values(), key=lambda one: one.pk)
        if (notice := _tell(person, about, at=at, now=now, conversation=conversation)) is not None
    ]
    for target in targets.of_team(team, topic):
        _insert(about, way=target.name, due_at=at, conversation=conversation)
    return told


def _tell(
    person: Employee, about: tuple[str, str, str], *, at: datetime, now: bool, conversation: Conversation | None
) -> Notice | None:
    waits = at > timezone.now()
    shown = _insert(about, way=IN_APP, person=person, due_at=at if waits else None, conversation=conversation)
    if shown is None:
        return None
    choice = preferences.choice(person, about[0])
    if choice.way == EMAIL and not settings.NOTIFY.get("email", True):
        return shown
    is_first = choice.cadence == Cadence.FIRST and not _was_told(person, about[0], choice, at)
    if now or is_first or choice.cadence == Cadence.AT_ONCE:
        due_at = times.open_from(person, at) if choice.quiet and not now else at
        _insert(about, way=choice.way, person=person, due_at=due_at, conversation=conversation)
    elif choice.cadence != Cadence.IN_APP:
        _collect(person, shown, choice, at)
    return shown


def _was_told(person: Employee, topic: str, choice: Choice, at: datetime) -> bool:
    """Whether a notice or digest was sent to the person within a day before ``at``, or waits to be sent."""
    sent = Notice.objects.filter(employee=person, way=choice.way, topic__in=(topic, DIGEST))
    return sent.filter(Q(created_at__gt=at - _DAY) | Q(state=Notice.State.QUEUED)).exists()


def _collect(person: Employee, shown: Notice, choice: Choice, at: datetime) -> None:
    """Add a notice to the person's open digest. Send the digest now if the person's threshold is reached."""
    digest = digests.join(person, choice, at)
    shown.digest = digest
    shown.save(update_fields=["digest"])
    record_notice(shown, "notice.collected")
    if choice.cadence == Cadence.THRESHOLD:
        since = at - timedelta(minutes=choice.minutes)
        if digest.items.filter(created_at__gt=since).count() >= choice.count:
            digests.bring_forward(digest, times.open_from(person, at) if choice.quiet else at)


def _insert(
    about: tuple[str, str, str],
    *,
    way: str,
    due_at: datetime | None,
    person: Employee | None = None,
    conversation: Conversation | None = None,
) -> Notice | None:
    """Insert and record a notice; None if there is one already. Without ``due_at``, it is in the app and not sent."""
    topic, subject_type, subject_id = about
    now = timezone.now()
    made = Notice(
        recipient=str(person.pk) if person is not None else targets.recipient(way),
        employee=person,
        topic=topic,
        subject_type=subject_type,
        subject_id=subject_id,
        conversation=conversation,
        way=way,
        state=Notice.State.QUEUED if due_at is not None else Notice.State.SENT,
        created_at=now,
        due_at=due_at,
        sent_at=None if due_at is not None else now,
    )
    unique = {name: getattr(made, name) for name in ("recipient", "topic", "subject_type", "subject_id", "way")}
    known = Notice.objects.filter(**unique)
    if known.exists():  # A refused insert would keep a lock, and on MariaDB such locks lead to deadlocks.
        return None
    with insert_once(known.first) as insertion:
        made.save(force_insert=True)
        record_notice(made, "notice.queued")
    if not insertion.is_first:
        return None
    if due_at is not None and due_at <= now:
        later("notify", str(made.pk))
    return made
