"""The people with mail: staff, guests, and any other recipient."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import formataddr
from pathlib import Path

from demo_project.frontdesk.models import Guest, User
from demo_project.mailbox import store


@dataclass(frozen=True)
class Person:
    """A person with an address. Only guests can write mail here; staff write in the CRM."""

    name: str
    address: str
    is_guest: bool
    mails: int = 0

    @property
    def sender(self) -> str:
        return formataddr((self.name, self.address))


def everybody(root: Path) -> list[Person]:
    """All people: those with mail first, then staff before guests."""
    mails = store.counts(root)
    by_address = {user.email.lower(): (user.display_name, False) for user in User.objects.exclude(email="")}
    guests = Guest.objects.exclude(email="").filter(source=Guest.Source.HOTEL)
    by_address |= {guest.email.lower(): (guest.name, True) for guest in guests}
    by_address |= {address: (address, False) for address in mails if address not in by_address}
    people = [Person(name, address, guest, mails.get(address, 0)) for address, (name, guest) in by_address.items()]
    return sorted(people, key=lambda person: (person.mails == 0, person.is_guest, person.name))


def person(root: Path, address: str) -> Person | None:
    return next((one for one in everybody(root) if one.address == address.lower()), None)
