"""Pseudonyms in the queue: names are hidden from a viewer until the viewer has claimed the alert.

A pseudonym is the same on every page and in every alert, so that repetition stays visible. It follows from the row's ID
and Django's ``SECRET_KEY``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from crm_contact_guard.conf import settings
from crm_contact_guard.conversations.rights import own_conversations
from crm_contact_guard.directory.models import Customer, Employee
from crm_contact_guard.policy import presets
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.rights import alerts

#: Characters that nobody confuses.
_CHARACTERS: Final = "ACDEFGHJKMNPQRTUVWXY3479"
_LENGTH: Final = 5
DOT: Final = "•"


@dataclass(frozen=True)
class Veil:
    """Hides the names of an alert's people."""

    employee: str
    customer: str
    _names: re.Pattern[str] | None

    def text(self, text: str) -> str:
        """Return ``text`` with the names replaced by dots. It keeps its length, so that offsets stay valid."""
        return self._names.sub(lambda found: DOT * len(found[0]), text) if self._names is not None else text


def are_used() -> bool:
    """Whether the company uses pseudonyms: the setting ``PSEUDONYMS``, else the industry's preset."""
    chosen = settings.PSEUDONYMS
    return presets.chosen().pseudonyms if chosen is None else bool(chosen)


def veil(viewer: Employee | None, rows: Iterable[Alert]) -> dict[UUID, Veil]:
    """Replace the names in those alerts (``rows``) that are hidden from the viewer, and return their veils by alert ID.

    Only the objects change, not the rows: don't save what belongs to a veiled alert. Needs ``conversation.customer``
    and ``concerned`` loaded. The viewer is None for what a whole team can read.
    """
    if not are_used():
        return {}
    return {row.pk: _veil(row) for row in rows if viewer is None or row.claimed_by_id != viewer.pk}


def veil_talks(viewer: Employee, talks: Iterable[Conversation]) -> dict[UUID, Veil]:
    """Replace the names in those conversations that are hidden from the viewer, and return their veils by ID.

    These are others' conversations with alerts that the viewer may see but has claimed none of. As with ``veil``, only
    the objects change. Needs ``customer`` and ``employee`` loaded.
    """
    found = {talk.pk: talk for talk in talks}
    if not found or not are_used():
        return {}
    rows = alerts(viewer).filter(conversation__in=found).values_list("conversation", "claimed_by")
    flagged, claimed = set(), set()
    for key, by in rows:
        flagged.add(key)
        if by == viewer.pk:
            claimed.add(key)
    own = set(own_conversations(viewer).filter(pk__in=flagged).values_list("pk", flat=True))
    return {key: _veil_talk(found[key]) for key in flagged - claimed - own if found[key].employee_id != viewer.pk}


def employee_pseudonym(key: UUID) -> str:
    return _("Employee %(code)s") % {"code": _code("employee", key)}


def customer_pseudonym(key: UUID) -> str:
    return _("Customer %(code)s") % {"code": _code("customer", key)}


def veiled_employee(person: Employee) -> Employee:
    """Return a copy of a person without the name."""
    hidden = copy(person)
    hidden.name, hidden.email = employee_pseudonym(person.pk), ""
    return hidden


def veiled_customer(customer: Customer) -> Customer:
    """Return a copy of a customer without the name and the way to the CRM."""
    hidden = copy(customer)
    hidden.name, hidden.key, hidden.url = customer_pseudonym(customer.pk), None, ""
    return hidden


def veil_of(talk: Conversation) -> Veil:
    """Return what hides the names of a conversation, whose customer and employee must be loaded."""
    names = [one.name for one in (talk.employee, talk.customer) if one is not None]
    employee = employee_pseudonym(talk.employee.pk) if talk.employee is not None else ""
    return Veil(employee, customer_pseudonym(talk.customer.pk), _pattern(names))


def _veil(row: Alert) -> Veil:
    talk = copy(row.conversation)
    people = {one.pk: one for one in (row.concerned, talk.employee) if one is not None}
    names = [*(one.name for one in people.values()), talk.customer.name]
    talk.customer = veiled_customer(talk.customer)
    if talk.employee is not None:
        talk.employee = veiled_employee(talk.employee)
    row.conversation = talk
    if row.concerned is not None:
        row.concerned = veiled_employee(row.concerned)
    concerned = row.concerned or talk.employee
    hidden = Veil(concerned.name if concerned is not None else "", talk.customer.name, _pattern(names))
    row.comment = hidden.text(row.comment)
    return hidden


def _veil_talk(talk: Conversation) -> Veil:
    names = [talk.customer.name, *([talk.employee.name] if talk.employee is not None else [])]
    talk.customer = veiled_customer(talk.customer)
    if talk.employee is not None:
        talk.employee = veiled_employee(talk.employee)
    hidden = Veil(talk.employee.name if talk.employee is not None else "", talk.customer.name, _pattern(names))
    talk.subject = hidden.text(talk.subject)
    return hidden


def _pattern(names: Iterable[str]) -> re.Pattern[str] | None:
    """Return a pattern that matches the names and their words. Words of one character are skipped as too common."""
    parts = {part for name in names for part in (name, re.sub(r"\s", "", name), *name.split()) if len(part) > 1}
    # Latin words must stand alone: "Ann" is not hidden in "Annex".
    found = [rf"\b{re.escape(part)}\b" if part.isascii() else re.escape(part) for part in parts]
    return re.compile("|".join(sorted(found, key=len, reverse=True)), re.IGNORECASE) if found else None


def _code(kind: str, key: UUID) -> str:
    digest = salted_hmac(f"crm_contact_guard.pseudonym.{kind}", str(key), algorithm="sha256").digest()
    return "".join(_CHARACTERS[byte % len(_CHARACTERS)] for byte in digest[:_LENGTH])
