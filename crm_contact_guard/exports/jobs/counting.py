"""How much an export will contain, before anybody asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import NotPermitted
from crm_contact_guard.exports.bundle_rows import Filters
from crm_contact_guard.exports.jobs.requesting import own
from crm_contact_guard.exports.jobs.rights import may_export
from crm_contact_guard.record.canonical_sql import MODELS


@dataclass(frozen=True)
class Count:
    """The numbers of rows that match a filter now."""

    messages: int
    events: int


def count(*, viewer: Employee, filters: Filters) -> Count:
    """Count what an export with these filters would contain. Raise NotPermitted."""
    if not may_export(viewer):
        raise NotPermitted(_("You may not export the record."))
    limited = own(filters, viewer)
    found = {
        kind: model._base_manager.filter(reduce(or_, limited.parts(kind))).count() for kind, model in MODELS.items()
    }
    return Count(messages=found["message"], events=found["event"])
