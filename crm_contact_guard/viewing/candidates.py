"""Search for the customers with whom an unknown sender can be identified."""

from __future__ import annotations

from crm_contact_guard import crm, permissions
from crm_contact_guard.directory.mirror_customers import mirror_customer
from crm_contact_guard.directory.models import Customer, Employee
from crm_contact_guard.directory.placing import placed

#: Maximum number of customers in a search result.
MOST = 10


def candidates(viewer: Employee, words: str, *, but: Customer) -> list[Customer]:
    """Return the host's customers whose name contains ``words`` and with whom the viewer may identify a sender.

    ``but`` is left out. The result has at most ``MOST`` customers and is empty if ``words`` is blank.
    """
    words = words.replace("\0", "").strip()[:100]
    if not words:
        return []
    with crm.tenant(viewer.tenant):
        found = crm.adapter().search(words, MOST * 3)
        rows = [mirror_customer(record) for record in map(placed, found) if record is not None]
    return [row for row in rows if row.pk != but.pk and permissions.may_identify_as(viewer, row)][:MOST]
