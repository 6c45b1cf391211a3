"""Find messages by words, among those that the viewer may read. Every search is recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.search.engines import engine
from crm_contact_guard.search.filling import missing, searched
from crm_contact_guard.search.folding import LONGEST, words_of

#: Messages on a page of results.
PAGE: Final = 50
#: Messages that are read at a time, and most of them for one page of results.
CHUNK: Final = 200
MOST_READ: Final = 10_000
#: Newest messages that are read because the index may lack them.
MOST_UNINDEXED: Final = 500
_NEWEST: Final = 2**63 - 1


@dataclass(frozen=True)
class Found:
    """One page of results, newest recorded first."""

    messages: Sequence[Message]
    #: The folded words, for marking them in the texts.
    words: Sequence[str]
    #: Where the next page begins; None if there are no further results.
    below: int | None
    #: Whether the search stopped before the page was full, since it had read ``MOST_READ`` messages.
    stopped: bool
    #: Whether the index doesn't contain all messages yet, so that results may be missing.
    is_filling: bool


def message_search(
    *, viewer: Employee, typed: str, lookups: Mapping[str, Any], filters: Mapping[str, str], below: int | None = None
) -> Found:
    """Find the messages that contain all words and quoted phrases in ``typed``, and record the search.

    ``lookups`` filter the messages further; ``filters`` describes them for the record, where ``customer`` is part of a
    name and personal. ``below`` is that of the page before.

    Raises NotPermitted if the viewer isn't active, and InvalidMessage if no word has two characters.
    """
    if not viewer.active:
        raise NotPermitted(_("Only active employees search the record."))
    words = words_of(typed)
    if not words:
        raise InvalidMessage(_("Enter at least one word of two or more characters."), field="q")
    readable = permissions.messages(viewer).filter(salt__isnull=False, **lookups).select_related(*_SHOWN)
    newer, is_filling = _unindexed(readable, words) if below is None else ([], False)
    search = _Search(readable, words, PAGE - len(newer))
    messages = [*newer, *search.run(_NEWEST if below is None else below)]
    _record(viewer, typed, filters, messages)
    return Found(messages, words, search.below, stopped=search.stopped, is_filling=is_filling)


_SHOWN: Final = ("conversation__customer", "conversation__employee", "customer", "employee")


class _Search:
    """Reads candidates until a page is full."""

    def __init__(self, readable: QuerySet[Message], words: Sequence[str], wanted: int) -> None:
        self._readable, self._words, self._wanted = readable, words, wanted
        self.below: int | None = None
        self.stopped = False

    def run(self, below: int) -> list[Message]:
        found: list[Message] = []
        read = 0
        if self._wanted <= 0:
            self.below = below
        while len(found) < self._wanted:
            if read >= MOST_READ:
                self.below, self.stopped = below, True
                break
            candidates = engine().candidates(self._words, below, CHUNK)
            rows = self._readable.in_bulk([one.message_id for one in candidates])
            for number, key in candidates:
                below = number
                message = rows.get(key)
                if message is not None and _has(message, self._words):
                    found.append(message)
                    if len(found) == self._wanted:
                        self.below = below
                        break
            read += len(candidates)
            if len(candidates) < CHUNK and self.below is None:
                break
        return found


def _unindexed(readable: QuerySet[Message], words: Sequence[str]) -> tuple[list[Message], bool]:
    """Return the newest results that the index lacks, and whether it lacks more messages than were read."""
    keys = list(missing().order_by("-pk").values_list("pk", flat=True)[: MOST_UNINDEXED + 1])
    rows = readable.in_bulk(keys[:MOST_UNINDEXED])
    found = [rows[key] for key in keys if key in rows and _has(rows[key], words)]
    return found, len(keys) > MOST_UNINDEXED


def _has(message: Message, words: Sequence[str]) -> bool:
    text = searched(message.subject, message.text)
    return all(word in text for word in words)


def _record(viewer: Employee, typed: str, filters: Mapping[str, str], messages: Sequence[Message]) -> None:
    """Record the words, and the conversations of others that the page shows parts of."""
    talks = {message.conversation_id: message.conversation for message in messages}
    others = [str(key) for key, talk in talks.items() if talk.employee_id != viewer.pk]
    chosen = dict(filters)
    personal = [typed[:LONGEST], chosen.pop("customer", "")]
    record_event(
        kind="view.search",
        subject_type="search",
        subject_id=uuid7(),
        actor_type=Event.ActorType.EMPLOYEE,
        actor=viewer.pk,
        tenant=viewer.tenant,
        data={"filters": chosen, "results": len(messages), "conversations": others},
        reason=" · ".join(filter(None, personal)),
    )
