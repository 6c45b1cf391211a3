"""The topics of notices. A package registers its own when the app is ready, so this package doesn't need to know them.

To add one, call ``register`` in the package's module ``follows`` or in one that it imports.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.functional import Promise

from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.notices.models import Cadence

#: The topic of digests. It isn't registered, since nobody chooses anything about it.
DIGEST: Final = "digest"
#: The topic of the notice that the test button sends.
TEST: Final = "test"


@dataclass(frozen=True)
class Line:
    """What a notice says, in the active language: who did what, since when, and where to look. Never message text.

    ``details`` and ``asks`` are for the email about this one subject: pairs of a label and a value, and the sentence
    above the link.
    """

    text: str
    #: Path of the page, from ``reverse``.
    path: str
    since: datetime
    details: Sequence[tuple[str, str]] = ()
    asks: str = ""


#: Returns the lines of those subjects that still matter, by subject ID. It leaves out what the person may not see, and
#: what is settled. The person is None for a team's target.
Lines = Callable[[Employee | None, Sequence[str]], Mapping[str, Line]]


@dataclass(frozen=True, kw_only=True)
class Topic:
    """A kind of notice. ``many`` is its name in the plural, for counts and settings."""

    name: str
    label: str | Promise
    many: str | Promise
    lines: Lines
    cadence: Cadence = Cadence.DAILY
    #: Whether the notice is sent outside its person's working hours unless they choose otherwise.
    urgent: bool = False
    #: Whether a person may choose to be told only in the app.
    may_be_off: bool = True
    #: Whether it is about work of supervision, which goes to whoever stands in while the person is away.
    is_duty: bool = False
    #: For a topic that only other systems are told about: the type of its webhooks, such as "alert.opened".
    event: str = ""
    #: The roles whose settings list the topic.
    roles: frozenset[str] = frozenset(Role.values)


#: All roles but auditors, who don't handle what happens in conversations.
STAFF: Final = frozenset({Role.EMPLOYEE, Role.SUPERVISOR, Role.COMPLIANCE})

_TOPICS: dict[str, Topic] = {}


def register(*topics: Topic) -> None:
    """Add topics. Registering a name again replaces it."""
    _TOPICS.update((topic.name, topic) for topic in topics)


def register_event(name: str, event: str, label: str | Promise, lines: Lines) -> None:
    """Add a topic for other systems alone: something that happened, which is never settled."""
    register(Topic(name=name, event=event, label=label, many=label, lines=lines, roles=frozenset()))


def topic(name: str) -> Topic:
    """Return a topic. Raise KeyError for an unknown name."""
    return _TOPICS[name]


def known() -> Sequence[Topic]:
    """Return all topics in the order of their registration."""
    return list(_TOPICS.values())


def lines(name: str, person: Employee | None, ids: Sequence[str]) -> Mapping[str, Line]:
    """Return the lines of the subjects that still matter. Unknown topics have none."""
    found = _TOPICS.get(name)
    return found.lines(person, ids) if found is not None and ids else {}
