"""Finding by a part of a name, whatever the case and whatever the database's collation."""

from __future__ import annotations

from django.db.models import Q
from django.db.models.functions import Lower
from django.db.models.lookups import Contains


def part_of(field: str, words: str) -> Q:
    """Rows whose ``field`` holds ``words``. ``icontains`` alone minds the case where MariaDB's collation is binary.

    PostgreSQL takes no NUL even to compare with; nothing holds one.
    """
    return Q(Contains(Lower(field), words.replace("\0", "").lower()))
