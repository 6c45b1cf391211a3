"""The one reference from our tables to the host's: a user, who may live in another database than we do.

In the schema it is a plain foreign key without a constraint. In Python, Django's own would ask routers whether the two
rows may know each other, look the user up where our row lies, and, when a user is deleted, look for our rows where the
user lay. None of that holds across databases, and a host should not have to teach its routers about us.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models
from django.db.models.deletion import Collector
from django.db.models.fields.related_descriptors import ForwardManyToOneDescriptor

from crm_contact_guard.hosting import database, host_rows


def unlink(collector: Collector, field: Any, rows: models.QuerySet[Any], using: str) -> None:
    """``on_delete``: forget the user, in our database, when the host's rows go. The person's name and record stay.

    Across databases there is no common transaction: where the host takes the deletion back, the link is made anew when
    the person is next seen, or by the sync.
    """
    collector.add_field_update(field, None, rows.using(database.alias()))


# What is given to Django is then a query that it does not run before it deletes.
unlink.lazy_sub_objs = True  # type: ignore[attr-defined]


class _HostUser(ForwardManyToOneDescriptor):  # type: ignore[type-arg]
    """``employee.user``: the host's user, or None when the host has no such user any more."""

    def get_queryset(self, **hints: Any) -> models.QuerySet[Any]:
        # Without our row as a hint: where no router answers, Django would take our row's database for the user's.
        return host_rows.manager(self.field.remote_field.model).all()

    def get_object(self, instance: models.Model) -> Any:
        return self.get_queryset().filter(self.field.get_reverse_related_filter(instance)).first()

    def __set__(self, instance: models.Model, value: Any) -> None:
        # Django's own asks ``allow_relation``, which forbids relations across databases unless told otherwise, and
        # would send a new row of ours into the user's database.
        if value is None or not isinstance(value, self.field.remote_field.model._meta.concrete_model):
            super().__set__(instance, value)
            return
        for ours, theirs in self.field.related_fields:
            setattr(instance, ours.attname, getattr(value, theirs.attname))
        self.field.set_cached_value(instance, value)


class HostUserField(models.ForeignKey[Any, Any]):
    """A reference to a user of the host."""

    forward_related_accessor_class = _HostUser

    def __init__(self, to: Any, on_delete: Callable[..., Any] = unlink, **options: Any) -> None:
        options |= {"null": True, "blank": True, "db_constraint": False, "related_name": "+"}
        super().__init__(to, on_delete, **options)

    def deconstruct(self) -> Any:
        """Migrations know a plain foreign key, and ``unlink``, since a migration of the host's may delete users too."""
        name, _path, args, options = super().deconstruct()
        return name, "django.db.models.ForeignKey", args, options


def user_is_beside() -> bool:
    """Whether the users lie in our own database, so that one query can join them."""
    return host_rows.source(get_user_model()) == database.alias()
