"""Python's courtesy guard on recorded tables. The database's triggers are what really refuses a change."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models

from crm_contact_guard.exceptions import RecordedRowsAreFinal


class RecordedQuerySet(models.QuerySet[Any]):
    """Reads and inserts only."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise RecordedRowsAreFinal(f"{self.model.__name__} rows are recorded and can't be changed")

    def delete(self) -> NoReturn:
        raise RecordedRowsAreFinal(f"{self.model.__name__} rows are recorded and can't be deleted")


RecordedManager = models.Manager.from_queryset(RecordedQuerySet)
