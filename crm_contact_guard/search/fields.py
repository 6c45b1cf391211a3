"""The column of the search index. Migrations refer to it, so it imports nothing of ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

if TYPE_CHECKING:
    _TextField = models.TextField[Any, Any]
else:
    _TextField = models.TextField


class TermsField(_TextField):
    """What an engine finds a message by: an array of integers on PostgreSQL, text elsewhere."""

    def get_internal_type(self) -> str:
        """Return a name that Django doesn't know, because its bulk insert can't nest arrays."""
        return "TermsField"

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        return "integer[]" if connection.vendor == "postgresql" else models.TextField().db_type(connection)

    def get_prep_value(self, value: str | Sequence[int] | None) -> Any:
        return value if isinstance(value, list) else super().get_prep_value(value)
