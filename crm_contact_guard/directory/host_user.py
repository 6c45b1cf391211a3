"""The reference to a host user, the only one from our tables to the host's. Users may be in another database.

In the schema it is a plain foreign key without a constraint. In Python, Django's ForeignKey would ask routers whether
the relation is allowed, look up the user in our row's database, and, when a user is deleted, look for our rows in the
user's database. None of this works across databases, and hosts should not have to change their routers.
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
    """``on_delete`` handler: set the reference to null in our database. The employee's name and messages are kept.

    There is no common transaction across databases: if the host rolls the deletion back, the link is restored when the
    user next signs in, or by the sync.
    """
    collector.add_field_update(field, None, rows.using(database.alias()))


# This makes Django pass a lazy queryset, which is not evaluated before the deletion.
unlink.lazy_sub_objs = True  # type: ignore[attr-defined]


class _HostUser(ForwardManyToOneDescriptor):  # type: ignore[type-arg]
    """Descriptor for ``employee.user``: the host's user, or None if the user no longer exists."""

    def get_queryset(self, **hints: Any) -> models.QuerySet[Any]:
        # Our row isn't passed as a hint. If no router decided, Django would use our row's database for the user.
        return host_rows.manager(self.field.remote_field.model).all()

    def get_object(self, instance: models.Model) -> Any:
        return self.get_queryset().filter(self.field.get_reverse_related_filter(instance)).first()

    def __set__(self, instance: models.Model, value: Any) -> None:
        # Django's descriptor calls ``allow_relation``, which by default forbids relations across databases, and would
        # save a new row of ours in the user's database.
        if value is None or not isinstance(value, self.field.remote_field.model._meta.concrete_model):
            super().__set__(instance, value)
            return
        for ours, theirs in self.field.related_fields:
            setattr(instance, ours.attname, getattr(value, theirs.attname))
        self.field.set_cached_value(instance, value)


class HostUserField(models.ForeignKey[Any, Any]):
    """A reference to a host user."""

    forward_related_accessor_class = _HostUser

    def __init__(self, to: Any, on_delete: Callable[..., Any] = unlink, **options: Any) -> None:
        options |= {"null": True, "blank": True, "db_constraint": False, "related_name": "+"}
        super().__init__(to, on_delete, **options)

    def deconstruct(self) -> Any:
        """Return a plain foreign key for migrations. It keeps ``unlink``, since a host's migration may delete users."""
        name, _path, args, options = super().deconstruct()
        return name, "django.db.models.ForeignKey", args, options


def user_is_beside() -> bool:
    """Whether users are in the same database as our tables, so that queries can join them."""
    return host_rows.source(get_user_model()) == database.alias()
