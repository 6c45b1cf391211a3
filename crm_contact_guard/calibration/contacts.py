"""Finds contacts that are probably the company's own, because several employees gave them to several customers.

A contact given by a single employee is never proposed, no matter how many customers received it, because a private
number looks the same. Contacts in the evidence of true alerts are not proposed either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from uuid import UUID

from crm_contact_guard.channels.address_kinds import EMAIL, PHONE
from crm_contact_guard.detection import gates
from crm_contact_guard.detection.identifiers import candidates
from crm_contact_guard.detection.identifiers.own_contacts import own_contacts
from crm_contact_guard.detection.text.normalise import normalise
from crm_contact_guard.detection.types import Company, Direction
from crm_contact_guard.record.models import Message

#: A contact is proposed if at least ``EMPLOYEES`` employees gave it or at least ``CUSTOMERS`` customers received it,
#: and there are at least ``SEVERAL`` of each.
EMPLOYEES: Final = 3
CUSTOMERS: Final = 10
SEVERAL: Final = 2
#: How many identifiers are counted at once. If there are more, those given to only one customer are dropped.
MOST: Final = 100_000
#: The list in a company's file for each sort of candidate.
_LISTS: Final = {"phone": "phones", "email": "emails", "handle": "handles", "link": "urls"}
#: Candidates that are not complete identifiers: codes, parts of numbers, hints.
_PARTS: Final = frozenset(
    {f"phone:{shape}" for shape in ("other", "code", "local", "flood", "goroawase")} | {"email:hint", "email:spelled"}
)


class Identifier(NamedTuple):
    """An identifier: its list in a company's file, a form for comparison, and the form in which it was written."""

    list: str
    key: str
    written: str


@dataclass
class Seen:
    """The employees who gave an identifier, and the customers who received it, as many as the decision needs."""

    written: str
    employees: set[UUID] = field(default_factory=set)
    customers: set[UUID] = field(default_factory=set)


@dataclass(frozen=True)
class Contact:
    """A contact that may be the company's own. Counts are lower bounds, because counting stops when they suffice."""

    list: str
    value: str
    employees: int
    customers: int

    @property
    def masked(self) -> str:
        """The contact, masked so that only somebody who already knows the contact recognises it."""
        kind = {"phones": PHONE, "emails": EMAIL}.get(self.list)
        if kind is not None:
            return kind.mask(self.value)
        visible = min(4, len(self.value) // 3)
        host, slash, rest = self.value.rpartition("/")
        if slash and rest:
            return f"{host}/{rest[: min(2, len(rest) // 3)]}•••"
        return f"{self.value[:visible]}•••"


class Learner:
    """Collects identifiers from messages in any order, and proposes those that are probably the company's own."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], Seen] = {}
        self._refused: set[tuple[str, str]] = set()
        #: Whether the record has more identifiers than can be counted at once.
        self.forgetful = False

    def add(self, message: Message, company: Company) -> None:
        """Count the identifiers in an employee's message to a customer."""
        if message.direction != Direction.OUTBOUND.value or message.employee_id is None or not message.text:
            return
        for identifier in identifiers(message.text, company):
            seen = self._seen.setdefault((identifier.list, identifier.key), Seen(identifier.written))
            if len(seen.employees) < EMPLOYEES:
                seen.employees.add(message.employee_id)
            if len(seen.customers) < CUSTOMERS:
                seen.customers.add(message.customer_id)
        if len(self._seen) > MOST:
            self._forget()

    def refuse(self, texts: Iterable[str], company: Company) -> None:
        """Exclude the identifiers in ``texts``, which are evidence of a true alert, from the proposals."""
        for text in texts:
            self._refused.update((identifier.list, identifier.key) for identifier in identifiers(text, company))

    def contacts(self) -> list[Contact]:
        """Return the proposed contacts, sorted by list and then by the number of employees."""
        proposed = [
            Contact(name, seen.written, len(seen.employees), len(seen.customers))
            for (name, key), seen in self._seen.items()
            if (name, key) not in self._refused and _is_company_contact(seen)
        ]
        return sorted(proposed, key=lambda one: (one.list, -one.employees, -one.customers, one.value))

    def _forget(self) -> None:
        self.forgetful = True
        remaining = {key: seen for key, seen in self._seen.items() if len(seen.customers) > 1}
        # If most identifiers went to two or more customers, keep only those given by several employees.
        if len(remaining) > MOST // 2:
            remaining = {key: seen for key, seen in remaining.items() if len(seen.employees) > 1}
        self._seen = remaining


def identifiers(text: str, company: Company) -> Iterator[Identifier]:
    """Yield the phone numbers, email addresses, handles and links in a text that aren't known to be the company's."""
    folded = normalise(text)
    own = own_contacts(company)
    budget = candidates.Budget()
    for candidate in candidates.find(folded.text, gates.opened(folded.text), company, budget, reverse=False):
        name = _LISTS.get(candidate.sort)
        if (
            name is None
            or f"{candidate.sort}:{candidate.shape}" in _PARTS
            or (name == "emails" and "@" not in candidate.value)
        ):
            continue
        if own is not None and own.holds(candidate):
            continue
        start, end = folded.span(candidate.start, candidate.end)
        key = candidate.value.strip().rstrip("/.").lstrip("@") if name != "phones" else candidate.value.lstrip("+")
        written = text[start:end].strip().rstrip(".,、。")
        yield Identifier(name, key, written.lstrip("@＠") if name == "handles" else written)


def _is_company_contact(seen: Seen) -> bool:
    several = len(seen.employees) >= SEVERAL and len(seen.customers) >= SEVERAL
    return several and (len(seen.employees) >= EMPLOYEES or len(seen.customers) >= CUSTOMERS)
