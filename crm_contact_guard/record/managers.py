"""Managers that refuse to update or delete recorded rows, in addition to the database's triggers."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

from django.db import models

from crm_contact_guard.exceptions import RecordedRowsAreFinal
from crm_contact_guard.hosting.rows import Rows

M_co = TypeVar("M_co", bound=models.Model, covariant=True)


class RecordedQuerySet(models.QuerySet[M_co]):
    """A queryset that only reads and inserts; ``update`` and ``delete`` raise RecordedRowsAreFinal."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise RecordedRowsAreFinal(f"{self.model.__name__} rows are recorded and can't be changed")

    def delete(self) -> NoReturn:
        raise RecordedRowsAreFinal(f"{self.model.__name__} rows are recorded and can't be deleted")


class RecordedManager(Rows[M_co]):
    """A manager whose querysets are of the class RecordedQuerySet."""

    def get_queryset(self) -> RecordedQuerySet[M_co]:
        return RecordedQuerySet(self.model, using=self._db)
