"""The search index: one row per message. It follows from the record and can be filled again at any time."""

from __future__ import annotations

from django.db import models

from crm_contact_guard.hosting.rows import Row
from crm_contact_guard.search.fields import TermsField


class SearchEntry(Row):
    """One message in the index. ``number`` counts up in the order of recording."""

    number = models.BigIntegerField(primary_key=True)
    # Not a foreign key: the index depends on the record, never the reverse.
    message_id = models.UUIDField(unique=True)
    terms = TermsField()
