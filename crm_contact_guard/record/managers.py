"""Python's courtesy guard on recorded tables. The database's triggers are what really refuses a change."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

from django.db import models

from crm_contact_guard.exceptions import RecordedRowsAreFinal
from crm_contact_guard.hosting.rows import Rows

M_co = TypeVar("M_co", bound=models.Model, covariant=True)


class RecordedQuerySet(models.QuerySet[M_co]):
    """Reads and inserts only."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise RecordedRowsAreFinal(f"{self.model.__name__} rows are recorded and can't be changed")

    def delete(self) -> NoReturn:
        raise RecordedRowsAreFinal(f"{self.model.__name__} rows are recorded and can't be deleted")


class RecordedManager(Rows[M_co]):
    """Hands out guarded querysets."""

    def get_queryset(self) -> RecordedQuerySet[M_co]:
        return RecordedQuerySet(self.model, using=self._db)
