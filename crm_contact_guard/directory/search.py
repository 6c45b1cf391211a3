"""Case-insensitive substring search on all databases."""

from __future__ import annotations

from django.db.models import Q
from django.db.models.functions import Lower
from django.db.models.lookups import Contains


def part_of(field: str, words: str) -> Q:
    """Return a filter for rows whose ``field`` contains ``words``.

    ``icontains`` can't be used, because it is case-sensitive with a binary collation. NUL is removed, because
    PostgreSQL does not accept it in a parameter.
    """
    return Q(Contains(Lower(field), words.replace("\0", "").lower()))
