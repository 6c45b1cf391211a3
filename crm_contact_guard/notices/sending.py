"""Sends one notice by its way, if its subject still matters."""

from __future__ import annotations

from collections.abc import Mapping

from crm_contact_guard.notices import mail, posting, targets, topics
from crm_contact_guard.notices.models import EMAIL, Notice
from crm_contact_guard.notices.targets import Target
from crm_contact_guard.notices.topics import DIGEST, Line


class NotSent(Exception):
    """A notice was not sent. ``str`` says why, without secrets. ``permanent``: a retry can't help."""

    def __init__(self, why: str, *, permanent: bool = False, retry_after: float | None = None) -> None:
        super().__init__(why)
        self.permanent = permanent
        self.retry_after = retry_after


def lines(notice: Notice) -> Mapping[str, Mapping[str, Line]]:
    """Return the lines of a notice or digest that still matter, by topic and subject ID, in the active language."""
    if notice.topic != DIGEST:
        found = topics.lines(notice.topic, notice.employee, [notice.subject_id])
        return {notice.topic: found} if found else {}
    ids: dict[str, list[str]] = {}
    for topic, subject_id in notice.items.order_by("pk").values_list("topic", "subject_id"):
        ids.setdefault(topic, []).append(subject_id)
    by_topic = {topic: topics.lines(topic, notice.employee, subjects) for topic, subjects in ids.items()}
    return {topic: found for topic, found in by_topic.items() if found}


def matters(notice: Notice) -> bool:
    """Whether the subject of a notice, or one of a digest's subjects, still matters."""
    return bool(lines(notice))


def is_reachable(notice: Notice) -> bool:
    """Whether the recipient has an address for the way of the notice, or the target still exists."""
    if notice.way != EMAIL:
        return targets.named(notice.way) is not None and not notice.last_error.startswith(targets.GONE)
    return notice.employee is not None and bool(notice.employee.email)


def _post(notice: Notice, target: Target, said: Mapping[str, Mapping[str, Line]]) -> None:
    line = said[notice.topic][notice.subject_id]
    topic = topics.topic(notice.topic)
    told = posting.Said(
        event=topic.event or f"notice.{topic.name}",
        at=line.since,
        id=notice.subject_id,
        text=line.text if target.detail else str(topic.label),
        link=mail.url(line.path),
    )
    try:
        posting.post(target, f"notice-{notice.subject_id}-{notice.pk}", told)
    except posting.NotPosted as error:
        raise NotSent(str(error), permanent=error.permanent) from error


def send(notice: Notice) -> bool:
    """Send a notice. Return False if it was no longer needed. Raise NotSent."""
    if not is_reachable(notice):
        why = "no e-mail address" if notice.way == EMAIL else "the settings have no such target"
        raise NotSent(why, permanent=True)
    with mail.speaking_to(notice):
        said = lines(notice)
        if not said:
            return False
        target = targets.named(notice.way)
        if target is not None:
            _post(notice, target, said)
            return True
        try:
            mail.send(notice, said)
        except Exception as error:  # whatever an email backend raises, the notice is retried
            raise NotSent(f"{type(error).__name__}: {error}") from error
    return True
