"""Base class of all our models.

Rows are read from the database that they are written to, whatever the host's routers say.
"""

from __future__ import annotations

from typing import ClassVar, Self, TypeVar

from django.db import models

from crm_contact_guard.hosting import database

M_co = TypeVar("M_co", bound=models.Model, covariant=True)


class Rows(models.Manager[M_co]):
    """A manager that reads from the database for writing, unless ``using`` is called.

    ``_db`` is a property because Django creates related managers from this class. If ``_db`` were None, they would use
    the database that a router returns for reading.
    """

    @property
    def _db(self) -> str:
        return self.__dict__.get("_named") or database.alias()

    @_db.setter
    def _db(self, named: str | None) -> None:
        self.__dict__["_named"] = named


class Row(models.Model):
    """Base class of our models."""

    objects: ClassVar[Rows[Self]] = Rows()

    class Meta:
        abstract = True


# Used for Django's own reads (relations, ``refresh_from_db``). Setting it in ``Meta`` would add it to all migrations.
Row._meta.base_manager_name = "objects"
