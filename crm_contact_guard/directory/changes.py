"""Notify the record of changes to the directory, within the transaction that makes the changes.

This package must not import the record, which is in a higher layer, so the record registers a listener here.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Protocol
from uuid import UUID

from crm_contact_guard.directory.models import Employee, Team


class Listener(Protocol):
    """An object that records changes to the directory."""

    def lock(self, customers: Collection[UUID]) -> None:
        """Called before customers or their addresses change, so that events have the same order as the changes."""

    def customers(self, customers: Collection[UUID]) -> None:
        """Called after customers with these IDs or their addresses changed."""

    def people(self, changed: Employee | Team) -> None:
        """Called after an employee (including team memberships) or a team may have changed."""


LISTENERS: Final[list[Listener]] = []


def lock(customers: Collection[UUID]) -> None:
    """Notify the listeners that these customers or their addresses are about to change."""
    if customers:
        for listener in LISTENERS:
            listener.lock(customers)


def customers_changed(customers: Collection[UUID]) -> None:
    """Notify the listeners that these customers or their addresses changed."""
    if customers:
        for listener in LISTENERS:
            listener.customers(customers)


def people_changed(changed: Employee | Team) -> None:
    """Notify the listeners that an employee (including team memberships) or a team may have changed."""
    for listener in LISTENERS:
        listener.people(changed)
