"""What all our models share: their rows are read where they are written, wherever a host's routers read others."""

from __future__ import annotations

from typing import ClassVar, Self, TypeVar

from django.db import models

from crm_contact_guard.hosting import database

M_co = TypeVar("M_co", bound=models.Model, covariant=True)


class Rows(models.Manager[M_co]):
    """Reads from the database that we write to, unless told another one by ``using``.

    A property, since Django makes the managers of relations from this class and has them ask a router for a database to
    read from where ``_db`` names none.
    """

    @property
    def _db(self) -> str:
        return self.__dict__.get("_named") or database.alias()

    @_db.setter
    def _db(self, named: str | None) -> None:
        self.__dict__["_named"] = named


class Row(models.Model):
    """A row of ours."""

    objects: ClassVar[Rows[Self]] = Rows()

    class Meta:
        abstract = True


# Also for what Django reads by itself: a row's relations, ``refresh_from_db``. Not in ``Meta``, whose heirs would then
# carry it into migrations.
Row._meta.base_manager_name = "objects"
