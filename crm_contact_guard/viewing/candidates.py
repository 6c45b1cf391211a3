"""Whom the viewer may say that somebody who wrote in is."""

from __future__ import annotations

from crm_contact_guard import crm, permissions
from crm_contact_guard.directory.mirror import mirror_customer, placed
from crm_contact_guard.directory.models import Customer, Employee

#: Customers that one search lists.
MOST = 10


def candidates(viewer: Employee, words: str, *, but: Customer) -> list[Customer]:
    """Customers of the host by a part of their name, whom the viewer may say that somebody is."""
    words = words.replace("\0", "").strip()[:100]
    if not words:
        return []
    with crm.tenant(viewer.tenant):
        found = crm.adapter().search(words, MOST * 3)
        rows = [mirror_customer(record) for record in map(placed, found) if record is not None]
    return [row for row in rows if row.pk != but.pk and permissions.may_identify_as(viewer, row)][:MOST]
