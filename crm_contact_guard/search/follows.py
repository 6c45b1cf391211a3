"""The search index follows from the record by being filled again. Nothing that is proven depends on it."""

from __future__ import annotations

from typing import Final

from crm_contact_guard.record.following import Follows, Unproven, follows
from crm_contact_guard.search.models import SearchEntry

_WHY: Final = "an index of the record; `contact_guard_rescan --search-index` makes it again"

follows(
    Follows(
        model=SearchEntry,
        columns={field.attname: Unproven(_WHY) for field in SearchEntry._meta.concrete_fields},
        deleted=_WHY,
        added=_WHY,
    )
)
