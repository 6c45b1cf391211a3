"""Each person's choices about notices, and the defaults of those who chose nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from crm_contact_guard.conf import settings
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.hosting import database
from crm_contact_guard.notices import targets
from crm_contact_guard.notices.models import EMAIL, Cadence, NoticePreference
from crm_contact_guard.notices.topics import TEST, Topic, known
from crm_contact_guard.notices.topics import topic as topic_named
from crm_contact_guard.record.recording import record_event

MOST_COUNT = 1000
MOST_MINUTES = 7 * 24 * 60


@dataclass(frozen=True, kw_only=True)
class Choice:
    """When and how a person is told about a topic. The fields are those of ``NoticePreference``."""

    cadence: str
    way: str = EMAIL
    quiet: bool = True
    count: int = 4
    minutes: int = 60


def choice(person: Employee, topic: str) -> Choice:
    """Return what applies to the person: their own choice, or the topic's default."""
    return _choice(topic_named(topic), NoticePreference.objects.filter(employee=person, topic=topic).first())


def choices(person: Employee) -> Mapping[Topic, Choice]:
    """Return what applies to the person, for each topic that their role can choose about."""
    rows = {row.topic: row for row in NoticePreference.objects.filter(employee=person)}
    return {topic: _choice(topic, rows.get(topic.name)) for topic in offered(person)}


def offered(person: Employee) -> Sequence[Topic]:
    """Return the topics about which the person can choose, those that are only shown in the app last."""
    found = [topic for topic in known() if person.role in topic.roles and topic.name != TEST]
    return sorted(found, key=lambda topic: topic.cadence == Cadence.IN_APP)


def _choice(topic: Topic, row: NoticePreference | None) -> Choice:
    if row is None or row.way not in ways():
        return default(topic)
    cadence = topic.cadence if row.cadence == Cadence.IN_APP and not topic.may_be_off else row.cadence
    return Choice(cadence=cadence, way=row.way, quiet=row.quiet, count=row.count, minutes=row.minutes)


def default(topic: Topic) -> Choice:
    """Return what applies to a person who chose nothing: the company's setting, or else the topic's own default."""
    quiet = bool(settings.NOTIFY.get("quiet", True)) and not topic.urgent
    return Choice(cadence=settings.NOTIFY.get("cadence", {}).get(topic.name, topic.cadence), quiet=quiet)


def ways() -> Sequence[str]:
    """Return the ways that a person can choose: email, and the targets that reach one person."""
    return [EMAIL, *(target.name for target in targets.personal())]


@database.atomic()
def preference_set(*, actor: Employee, topic: str, chosen: Choice) -> NoticePreference:
    """Store a person's choice about a topic. Repeating it has no effect.

    Raise NotPermitted for a topic that isn't offered to the person, and InvalidMessage for an impossible choice.
    """
    if not actor.active or topic not in {offer.name for offer in offered(actor)}:
        raise NotPermitted(_("You can't choose about these notices."))
    _check(topic_named(topic), chosen)
    values = {name: getattr(chosen, name) for name in ("cadence", "way", "quiet", "count", "minutes")}
    row, is_new = NoticePreference.objects.select_for_update().get_or_create(
        employee=actor, topic=topic, defaults=values
    )
    if not is_new and all(getattr(row, name) == value for name, value in values.items()):
        return row
    for name, value in values.items():
        setattr(row, name, value)
    row.save()
    record_event(
        kind="notice_preference.made" if is_new else "notice_preference.set",
        subject_type="notice_preference",
        subject_id=str(row.pk),
        by=actor,
        tenant=actor.tenant,
        row=row,
    )
    return row


def _check(topic: Topic, chosen: Choice) -> None:
    if chosen.cadence not in Cadence.values or (chosen.cadence == Cadence.IN_APP and not topic.may_be_off):
        raise InvalidMessage(_("Choose one of the offered times."), field="cadence")
    if chosen.way not in ways():
        raise InvalidMessage(_("Choose one of the offered ways."), field="way")
    if not 2 <= chosen.count <= MOST_COUNT:
        raise InvalidMessage(_("Choose a number from 2 to %(most)d.") % {"most": MOST_COUNT}, field="count")
    if not 1 <= chosen.minutes <= MOST_MINUTES:
        raise InvalidMessage(_("Choose from 1 to %(most)d minutes.") % {"most": MOST_MINUTES}, field="minutes")
