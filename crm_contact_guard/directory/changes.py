"""Tells the record, which is a room above, of changes of the directory, within the transaction that makes them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Protocol
from uuid import UUID

from crm_contact_guard.directory.models import Employee, Team


class Listener(Protocol):
    """Records changes."""

    def lock(self, customers: Collection[UUID]) -> None:
        """Called before customers or their addresses change, so that events have the order of the changes."""

    def customers(self, customers: Collection[UUID]) -> None:
        """Called after customers with these ids or their addresses changed."""

    def people(self, changed: Employee | Team) -> None:
        """Called after an employee, with their teams, or a team may have changed."""


LISTENERS: Final[list[Listener]] = []


def lock(customers: Collection[UUID]) -> None:
    """Say that these customers or their addresses are about to change."""
    if customers:
        for listener in LISTENERS:
            listener.lock(customers)


def customers_changed(customers: Collection[UUID]) -> None:
    """Say that these customers or their addresses changed."""
    if customers:
        for listener in LISTENERS:
            listener.customers(customers)


def people_changed(changed: Employee | Team) -> None:
    """Say that an employee, with their teams, or a team may have changed."""
    for listener in LISTENERS:
        listener.people(changed)
