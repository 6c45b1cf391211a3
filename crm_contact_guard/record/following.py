"""How the tables of working state follow from the record: each room's ``follows`` declares it, column by column.

The same declaration decides what an event carries of a row (``record_event(row=…)``) and what verification compares
(``verification.projections``), so both can't differ. A column that nobody declared fails ``unaccounted``'s test.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from django.apps import apps
from django.db.models import Model

#: Member of an event's ``data`` (and ``details``, for personal columns): the row's columns after the change.
ROW: Final = "row"

#: A stored row: its values by column (``attname``).
Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One event about a row."""

    kind: str
    recorded_at: datetime
    actor: str
    data: Mapping[str, Any]
    details: Mapping[str, Any]
    reason: str | None
    #: The personal part of the event was erased.
    erased: bool


@dataclass(kw_only=True)
class Life:
    """What the record says of one row: its events, oldest first, and the newest recorded value of each column."""

    events: Sequence[Entry]
    now: datetime
    #: What ``Follows.beside`` found for the row.
    beside: Any = None
    #: The row may be of a version whose events carried less.
    is_earlier: bool = False
    #: ``Follows.earlier``.
    earlier: Callable[[Entry], Mapping[str, Any]] | None = None
    open: dict[str, Any] = field(default_factory=dict)
    personal: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        before: dict[str, Any] = {}
        for event in self.events:
            told = _members(event.data.get(ROW))
            if not told and self.earlier is not None:
                # It changed columns that it does not carry: only what such events say is still known.
                before.update(self.earlier(event))
                self.open = dict(before)
            self.open.update(told)
            if event.erased:
                self.personal.clear()
            self.personal.update(_members(event.details.get(ROW)))

    def at_first(self, column: str) -> Any:
        """The column when the row was made; None if its events don't carry it."""
        return _members(self.events[0].data.get(ROW)).get(column) if self.events else None

    def last(self, *kinds: str) -> Entry | None:
        """The newest event of these kinds."""
        return next((event for event in reversed(self.events) if event.kind in kinds), None)


@dataclass(frozen=True)
class Recorded:
    """The events carry the column. ``personal``: in their erasable part. ``secret``: as a SHA-256."""

    says: str = "the newest event that carries it"
    personal: bool = False
    secret: bool = False
    #: An erasure may empty the column before or without the event: an empty value is accepted.
    emptied: bool = False
    #: The rule for rows whose events don't carry the column, as those of earlier versions; as ``Checked.check``.
    otherwise: Callable[[Row, Life], object | None] | None = None


@dataclass(frozen=True)
class Checked:
    """Derived or bounded by a rule. ``check`` returns what was expected instead, None if the value may stand.

    ``carried``: the events carry the column all the same, for the rule to start from.
    """

    says: str
    check: Callable[[Row, Life], object | None]
    carried: bool = False


@dataclass(frozen=True)
class Elsewhere:
    """Another part of verification compares the column: ``says`` which."""

    says: str


@dataclass(frozen=True)
class Unproven:
    """An altered value is not noticed: ``says`` why."""

    says: str


Column = Recorded | Checked | Elsewhere | Unproven


@dataclass(frozen=True, kw_only=True)
class BySubject:
    """The events whose subject is the row: ``born`` create it, ``more`` change it, ``gone`` delete it."""

    subject: str
    born: tuple[str, ...]
    more: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    #: Versions before 1.0 recorded no event that creates the row.
    is_new: bool = False


@dataclass(frozen=True, kw_only=True)
class Follows:
    """How one table follows from the record.

    ``events``: which events tell of a row; None if no row has any. ``beside``: what else a page of rows is compared
    with, by primary key. ``since``: when a row was made, for those of versions that recorded no event for it.
    """

    model: type[Model]
    columns: Mapping[str, Column]
    events: BySubject | None = None
    beside: Callable[[str, Sequence[Row]], Mapping[Any, Any]] | None = None
    since: Callable[[Row], datetime] | None = None
    #: Checks of rows that are missing or were added, where ``events`` can't tell. Yields where and what is wrong.
    whole: Callable[[str], Iterator[tuple[str, str]]] | None = None
    #: Columns that an event of an earlier version carries in its own way.
    earlier: Callable[[Entry], Mapping[str, Any]] | None = None
    #: Why a deleted row, or one that was added, is not noticed; empty: it is.
    deleted: str = ""
    added: str = ""

    @property
    def name(self) -> str:
        """The table's name in reports."""
        return str(self.model._meta.model_name)


REGISTRY: Final[dict[type[Model], Follows]] = {}


def follows(declared: Follows) -> None:
    """Register a table's declaration. Called when the app is ready."""
    REGISTRY[declared.model] = declared


def unaccounted() -> list[str]:
    """Columns of our tables that no declaration names, and declared ones that don't exist."""
    return sorted(_unaccounted())


def _unaccounted() -> Iterator[str]:
    for model in apps.get_app_config("crm_contact_guard").get_models(include_auto_created=True):
        columns = {column.attname for column in model._meta.concrete_fields}
        declared = set(REGISTRY[model].columns) if model in REGISTRY else set()
        yield from (f"{model._meta.model_name}.{name}" for name in columns ^ declared)


def open_state(row: Model) -> dict[str, Any]:
    """What an event carries of the row in ``data``."""
    return _state(row, personal=False)


def personal_state(row: Model) -> dict[str, Any]:
    """What an event carries of the row in ``details``."""
    return _state(row, personal=True)


def _state(row: Model, *, personal: bool) -> dict[str, Any]:
    return {
        name: as_recorded(column, getattr(row, name))
        for name, column in REGISTRY[type(row)].columns.items()
        if (isinstance(column, Recorded) and column.personal is personal)
        or (isinstance(column, Checked) and column.carried and not personal)
    }


def as_recorded(column: Column, value: Any) -> Any:
    """A column's value in the form in which events carry it."""
    told, secret = plain(value), isinstance(column, Recorded) and column.secret
    return sha256(str(told).encode()).hexdigest() if secret and told is not None else told


def plain(value: Any) -> Any:
    """A value as canonical JSON can carry it. Fractions have four decimals: not every database keeps more unchanged."""
    told: Any = value
    match value:
        case None | bool():
            pass
        case int():
            told = int(value)
        case str() | UUID():
            told = str(value)
        case datetime():
            told = value.astimezone(UTC).isoformat(timespec="microseconds")
        case float():
            told = f"{value:.4f}"
        case bytes() | memoryview() | bytearray():
            told = bytes(value).hex()
        case Mapping():
            told = {str(name): plain(member) for name, member in value.items()}
        case list() | tuple():
            told = [plain(member) for member in value]
        case _:
            raise TypeError(f"{type(value).__name__} can't be recorded")
    return told


def moment(text: Any) -> datetime | None:
    """A time that an event carries; None if it is none."""
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None


def made_at(key: Any) -> datetime:
    """When a row with this UUIDv7 was made; the beginning of time for any other key."""
    if not isinstance(key, UUID) or key.version != 7:
        return datetime.fromtimestamp(0, UTC)
    return datetime.fromtimestamp((key.int >> 80) / 1000, UTC)


# --- rules that several tables need

#: How much the clocks of an installation's machines may differ.
CLOCKS: Final = timedelta(minutes=1)


def same(column: str, expected: Callable[[Row, Life], Any], says: str) -> Checked:
    """The column equals what a function expects of it."""

    def check(row: Row, life: Life) -> object | None:
        found, wanted = plain(row[column]), plain(expected(row, life))
        return None if found == wanted else ("nothing" if wanted is None else wanted)

    return Checked(says, check)


def marked(column: str, kind: str) -> Callable[[Row, Life], object | None]:
    """A time that is there if an event of this kind is: for events of earlier versions, which don't carry it."""

    def check(row: Row, life: Life) -> object | None:
        told = life.last(kind) is not None
        return None if (row[column] is not None) is told else ("a time" if told else "nothing")

    return check


def not_after(column: str, latest: timedelta, says: str) -> Checked:
    """A time that lies at most ``latest`` in the future, or none."""

    def check(row: Row, life: Life) -> object | None:
        limit = life.now + latest + CLOCKS
        return None if row[column] is None or row[column] <= limit else f"at most {plain(limit)}"

    return Checked(says, check)


def members(text: str | None) -> Mapping[str, Any]:
    """The members of a JSON object; none of anything else, which the check of the event's row reports."""
    try:
        return _members(json.loads(text or "{}"))
    except ValueError:
        return {}


def _members(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
