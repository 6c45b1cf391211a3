"""Whose mail can be read: the staff, the guests, and whoever else got something."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import formataddr
from pathlib import Path

from demo_project.frontdesk.models import Guest, User
from demo_project.mailbox import store


@dataclass(frozen=True)
class Person:
    """Somebody with an address. Only guests write from here: the staff writes in the CRM."""

    name: str
    address: str
    is_guest: bool
    mails: int = 0

    @property
    def sender(self) -> str:
        return formataddr((self.name, self.address))


def everybody(root: Path) -> list[Person]:
    """Staff first, then guests, those with mail before those without."""
    mails = store.counts(root)
    known = {user.email.lower(): (user.display_name, False) for user in User.objects.exclude(email="")}
    guests = Guest.objects.exclude(email="").filter(source=Guest.Source.HOTEL)
    known |= {guest.email.lower(): (guest.name, True) for guest in guests}
    known |= {address: (address, False) for address in mails if address not in known}
    people = [Person(name, address, guest, mails.get(address, 0)) for address, (name, guest) in known.items()]
    return sorted(people, key=lambda person: (person.mails == 0, person.is_guest, person.name))


def person(root: Path, address: str) -> Person | None:
    return next((found for found in everybody(root) if found.address == address.lower()), None)
