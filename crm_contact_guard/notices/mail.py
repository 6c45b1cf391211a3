"""The emails: about one subject, or a digest. They contain who, what, since when and links, but never the content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Final

from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise

from crm_contact_guard.conf import settings
from crm_contact_guard.hosting.languages import speaking
from crm_contact_guard.hosting.mailing import automatic_mail, send_by_host
from crm_contact_guard.notices import targets, topics
from crm_contact_guard.notices.models import Notice
from crm_contact_guard.notices.topics import DIGEST, Line
from crm_contact_guard.policy import hours

#: The number of lines that a digest lists per topic. All are counted, and all are on the pages.
LISTED: Final = 20


@dataclass(frozen=True)
class Section:
    """The part of a digest about one topic. Links are absolute URLs."""

    name: str | Promise
    count: int
    listed: Sequence[tuple[Line, str]]

    @property
    def more(self) -> int:
        return self.count - len(self.listed)


def speaking_to(notice: Notice) -> AbstractContextManager[object]:
    """Activate the language and time zone of the notice's person; for a target, those of the project."""
    stack = ExitStack()
    if notice.employee is not None:
        stack.enter_context(speaking(notice.employee.language))
        stack.enter_context(timezone.override(hours.zone(notice.employee)))
    else:
        target = targets.named(notice.way)
        stack.enter_context(speaking(target.language if target is not None else ""))
    return stack


def url(path: str) -> str:
    """Return the full address of a page."""
    return str(settings.PUBLIC_URL).rstrip("/") + path


def send(notice: Notice, said: Mapping[str, Mapping[str, Line]]) -> None:
    """Send the email of a notice in the active language. Any exception raised by the email backend is passed on."""
    send_by_host(_digest(notice, said) if notice.topic == DIGEST else _single(notice, said))


def _single(notice: Notice, said: Mapping[str, Mapping[str, Line]]) -> EmailMessage:
    line = said[notice.topic][notice.subject_id]
    return _mail(notice, "notice", {"line": line, "link": url(line.path)})


def _digest(notice: Notice, said: Mapping[str, Mapping[str, Line]]) -> EmailMessage:
    sections = [
        Section(
            name=topics.topic(name).many,
            count=len(found),
            listed=[(line, url(line.path)) for line in _newest(found)],
        )
        for name, found in said.items()
    ]
    context = {"sections": sections, "count": sum(section.count for section in sections)}
    return _mail(notice, "digest", {**context, "link": url(reverse("crm_contact_guard:alerts"))})


def _newest(found: Mapping[str, Line]) -> list[Line]:
    return sorted(found.values(), key=lambda line: line.since, reverse=True)[:LISTED]


def _mail(notice: Notice, template: str, context: Mapping[str, object]) -> EmailMessage:
    to = notice.employee.email if notice.employee is not None else ""
    return automatic_mail(template, context, to=to, key=f"notice-{notice.pk}-{notice.recipient}")
