"""How the tables of working state follow from the record. Each package declares this per column in ``follows``.

The same declarations determine which columns an event contains (``record_event(row=…)``) and which ones verification
compares (``verification.projections``), so the two can't diverge. A test fails if ``unaccounted`` finds a column
without a declaration.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from django.apps import apps
from django.db.models import Model

#: Member of an event's ``data`` (``details`` for personal columns) with the row's columns after the change.
ROW: Final = "row"

#: A stored row's values by column (``attname``).
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
    #: Whether the personal part of the event was erased.
    erased: bool


@dataclass(kw_only=True)
class Life:
    """What the record says about one row: its events, oldest first, and the newest recorded value of each column."""

    events: Sequence[Entry]
    now: datetime
    #: What ``Follows.beside`` returned for the row.
    beside: Any = None
    #: Whether the row may come from an earlier version, whose events contained fewer columns.
    is_earlier: bool = False
    #: See ``Follows.earlier``.
    earlier: Callable[[Entry], Mapping[str, Any]] | None = None
    open: dict[str, Any] = field(default_factory=dict)
    personal: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        before: dict[str, Any] = {}
        for event in self.events:
            told = _members(event.data.get(ROW))
            if not told and self.earlier is not None:
                # An event of an earlier version may change columns that it doesn't contain. After it, only the values
                # from such events are known.
                before.update(self.earlier(event))
                self.open = dict(before)
            self.open.update(told)
            if event.erased:
                self.personal.clear()
            self.personal.update(_members(event.details.get(ROW)))

    def at_first(self, column: str) -> Any:
        """Return the column's value when the row was created; None if the first event doesn't contain it."""
        return _members(self.events[0].data.get(ROW)).get(column) if self.events else None

    def last(self, *kinds: str) -> Entry | None:
        """Return the newest event of these kinds; None if there is none."""
        return next((event for event in reversed(self.events) if event.kind in kinds), None)


@dataclass(frozen=True)
class Recorded:
    """A column that events contain. ``personal``: in their erasable part. ``secret``: as a SHA-256 hash."""

    says: str = "the newest event that carries it"
    personal: bool = False
    secret: bool = False
    #: Accept an empty value, because an erasure may empty the column before the event or without one.
    emptied: bool = False
    #: Rule for rows whose events don't contain the column, such as those of earlier versions. See ``Checked.check``.
    otherwise: Callable[[Row, Life], object | None] | None = None


@dataclass(frozen=True)
class Checked:
    """A column that a rule derives or bounds. ``check`` returns what was expected instead; None if the value is valid.

    ``carried``: events contain the column nevertheless, as a starting point for the rule.
    """

    says: str
    check: Callable[[Row, Life], object | None]
    carried: bool = False


@dataclass(frozen=True)
class Elsewhere:
    """A column that another part of verification compares. ``says`` names that part."""

    says: str


@dataclass(frozen=True)
class Unproven:
    """A column in which altered values aren't detected. ``says`` explains why."""

    says: str


Column = Recorded | Checked | Elsewhere | Unproven


@dataclass(frozen=True, kw_only=True)
class BySubject:
    """Kinds of events whose subject is the row: ``born`` create it, ``more`` change it, ``gone`` delete it."""

    subject: str
    born: tuple[str, ...]
    more: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    #: Whether versions before 1.0 recorded no event when they created the row.
    is_new: bool = False


@dataclass(frozen=True, kw_only=True)
class Follows:
    """How one table follows from the record.

    ``events``: the events about a row; None if rows have no events. ``beside``: returns other data to compare a page of
    rows with, by primary key. ``since``: returns when a row was created, for rows of versions that recorded no event.
    """

    model: type[Model]
    columns: Mapping[str, Column]
    events: BySubject | None = None
    beside: Callable[[str, Sequence[Row]], Mapping[Any, Any]] | None = None
    since: Callable[[Row], datetime] | None = None
    #: Checks the table as a whole, for faults that ``events`` can't reveal. Yields where and what is wrong.
    whole: Callable[[str], Iterator[tuple[str, str]]] | None = None
    #: Returns the columns that an event of an earlier version contains in another form.
    earlier: Callable[[Entry], Mapping[str, Any]] | None = None
    #: Why a deleted row, or an added one, isn't detected. Empty if it is detected.
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
    """Return the columns of our tables that no declaration names, and declared columns that don't exist."""
    return sorted(_unaccounted())


def _unaccounted() -> Iterator[str]:
    for model in apps.get_app_config("crm_contact_guard").get_models(include_auto_created=True):
        columns = {column.attname for column in model._meta.concrete_fields}
        declared = set(REGISTRY[model].columns) if model in REGISTRY else set()
        yield from (f"{model._meta.model_name}.{name}" for name in columns ^ declared)


def open_state(row: Model) -> dict[str, Any]:
    """Return the row's columns that an event contains in ``data``."""
    return _state(row, personal=False)


def personal_state(row: Model) -> dict[str, Any]:
    """Return the row's columns that an event contains in ``details``."""
    return _state(row, personal=True)


def _state(row: Model, *, personal: bool) -> dict[str, Any]:
    return {
        name: as_recorded(column, getattr(row, name))
        for name, column in REGISTRY[type(row)].columns.items()
        if (isinstance(column, Recorded) and column.personal is personal)
        or (isinstance(column, Checked) and column.carried and not personal)
    }


def as_recorded(column: Column, value: Any) -> Any:
    """Return a column's value in the form in which events contain it."""
    told, secret = plain(value), isinstance(column, Recorded) and column.secret
    return sha256(str(told).encode()).hexdigest() if secret and told is not None else told


def plain(value: Any) -> Any:
    """Convert a value for canonical JSON. Floats get four decimals, since not every database preserves more."""
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
        case date():
            told = value.isoformat()
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
    """Parse a time from an event; return None if it isn't a time."""
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None


def made_at(key: Any) -> datetime:
    """Return when a row with this UUIDv7 was created; the Unix epoch for any other key."""
    if not isinstance(key, UUID) or key.version != 7:
        return datetime.fromtimestamp(0, UTC)
    return datetime.fromtimestamp((key.int >> 80) / 1000, UTC)


# --- rules for several tables

#: How much the clocks of an installation's machines may differ.
CLOCKS: Final = timedelta(minutes=1)


def same(column: str, expected: Callable[[Row, Life], Any], says: str) -> Checked:
    """Require the column to equal the result of ``expected``."""

    def check(row: Row, life: Life) -> object | None:
        found, wanted = plain(row[column]), plain(expected(row, life))
        return None if found == wanted else ("nothing" if wanted is None else wanted)

    return Checked(says, check)


def marked(column: str, *kinds: str) -> Callable[[Row, Life], object | None]:
    """Require a time if, and only if, there is an event of these kinds. Used if events of earlier versions lack it."""

    def check(row: Row, life: Life) -> object | None:
        told = life.last(*kinds) is not None
        return None if (row[column] is not None) is told else ("a time" if told else "nothing")

    return check


def not_after(column: str, latest: timedelta, says: str) -> Checked:
    """Require a time that is at most ``latest`` in the future, or null."""

    def check(row: Row, life: Life) -> object | None:
        limit = life.now + latest + CLOCKS
        return None if row[column] is None or row[column] <= limit else f"at most {plain(limit)}"

    return Checked(says, check)


def members(text: str | None) -> Mapping[str, Any]:
    """Return the members of a JSON object.

    Anything else counts as empty, since the check of the event's row reports it.
    """
    try:
        return _members(json.loads(text or "{}"))
    except ValueError:
        return {}


def _members(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
