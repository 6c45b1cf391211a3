"""Contacts that are probably the company's own: what several employees give to several customers.

One employee alone never makes a contact the company's, to however many customers it went: that is what a private number
looks like. Nor does what stands in an alert that people found true.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from uuid import UUID

from crm_contact_guard.detection import gates
from crm_contact_guard.detection.identifiers import candidates
from crm_contact_guard.detection.identifiers.own_contacts import own_contacts
from crm_contact_guard.detection.text.normalise import normalise
from crm_contact_guard.detection.types import Company, Direction
from crm_contact_guard.directory.addresses import mask
from crm_contact_guard.directory.models import AddressKind
from crm_contact_guard.record.models import Message

#: So many employees, or so many customers, make a contact the company's; of each at least ``SEVERAL``.
EMPLOYEES: Final = 3
CUSTOMERS: Final = 10
SEVERAL: Final = 2
#: Identifiers that are counted at once; beyond, those that only one customer got are forgotten.
MOST: Final = 100_000
#: By the sort of a candidate, the list of a company's file where it goes.
_LISTS: Final = {"phone": "phones", "email": "emails", "handle": "handles", "link": "urls"}
#: What is no whole identifier: codes, parts of numbers, what only hints.
_PARTS: Final = frozenset(
    {f"phone:{shape}" for shape in ("other", "code", "local", "flood", "goroawase")} | {"email:hint", "email:spelled"}
)


class Identifier(NamedTuple):
    """Where it goes in a company's file, its comparable form, and how it was written."""

    list: str
    key: str
    written: str


@dataclass
class Seen:
    """Who gave an identifier to whom; no more than it takes to decide is remembered."""

    written: str
    employees: set[UUID] = field(default_factory=set)
    customers: set[UUID] = field(default_factory=set)


@dataclass(frozen=True)
class Contact:
    """A contact that may be the company's. The numbers are at least; counting ends where it is decided."""

    list: str
    value: str
    employees: int
    customers: int

    @property
    def masked(self) -> str:
        """Told apart by who knows it, and unreadable to who does not."""
        kinds = {"phones": AddressKind.PHONE, "emails": AddressKind.EMAIL}
        if self.list in kinds:
            return mask(kinds[self.list], self.value)
        kept = min(4, len(self.value) // 3)
        host, slash, rest = self.value.rpartition("/")
        if slash and rest:
            return f"{host}/{rest[: min(2, len(rest) // 3)]}•••"
        return f"{self.value[:kept]}•••"


class Learner:
    """Takes messages in any order, and says what is probably the company's own."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], Seen] = {}
        self._refused: set[tuple[str, str]] = set()
        #: Whether the record held more identifiers than are counted at once.
        self.forgetful = False

    def add(self, message: Message, company: Company) -> None:
        """Learn from what an employee wrote to a customer."""
        if message.direction != Direction.OUTBOUND.value or message.employee_id is None or not message.text:
            return
        for found in identifiers(message.text, company):
            seen = self._seen.setdefault((found.list, found.key), Seen(found.written))
            if len(seen.employees) < EMPLOYEES:
                seen.employees.add(message.employee_id)
            if len(seen.customers) < CUSTOMERS:
                seen.customers.add(message.customer_id)
        if len(self._seen) > MOST:
            self._forget()

    def refuse(self, texts: Iterable[str], company: Company) -> None:
        """Never propose what stands in these: the evidence of an alert that people found true."""
        for text in texts:
            self._refused.update((found.list, found.key) for found in identifiers(text, company))

    def contacts(self) -> list[Contact]:
        """What is proposed, by list and then by how many gave it."""
        found = [
            Contact(name, seen.written, len(seen.employees), len(seen.customers))
            for (name, key), seen in self._seen.items()
            if (name, key) not in self._refused and _is_company_s(seen)
        ]
        return sorted(found, key=lambda one: (one.list, -one.employees, -one.customers, one.value))

    def _forget(self) -> None:
        self.forgetful = True
        kept = {key: seen for key, seen in self._seen.items() if len(seen.customers) > 1}
        # Where nearly all went to two customers, only those of several employees are worth their place.
        if len(kept) > MOST // 2:
            kept = {key: seen for key, seen in kept.items() if len(seen.employees) > 1}
        self._seen = kept


def identifiers(text: str, company: Company) -> Iterator[Identifier]:
    """Phones, mails, handles and links in a text that are not known to be the company's."""
    folded = normalise(text)
    own = own_contacts(company)
    budget = candidates.Budget()
    for one in candidates.find(folded.text, gates.opened(folded.text), company, budget, reverse=False):
        name = _LISTS.get(one.sort)
        if name is None or f"{one.sort}:{one.shape}" in _PARTS or (name == "emails" and "@" not in one.value):
            continue
        if own is not None and own.holds(one):
            continue
        start, end = folded.span(one.start, one.end)
        key = one.value.strip().rstrip("/.").lstrip("@") if name != "phones" else one.value.lstrip("+")
        written = text[start:end].strip().rstrip(".,、。")
        yield Identifier(name, key, written.lstrip("@＠") if name == "handles" else written)


def _is_company_s(seen: Seen) -> bool:
    several = len(seen.employees) >= SEVERAL and len(seen.customers) >= SEVERAL
    return several and (len(seen.employees) >= EMPLOYEES or len(seen.customers) >= CUSTOMERS)
