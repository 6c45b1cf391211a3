"""Guess which rows of a host's model to leave out, such as deleted ones."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.db.models import BooleanField, Model, OneToOneField

from crm_contact_guard.installation.proposing.host_fields import CUSTOMERS, columns, leads_to, links

_GONE = ("is_deleted", "deleted", "is_archived", "archived", "is_removed", "is_trashed", "is_test")
#: Boolean columns that mark users who aren't people.
_NOBODY = (
    "is_team",
    "is_group",
    "is_bot",
    "is_robot",
    "is_system",
    "is_system_user",
    "is_service_account",
    "is_virtual",
)


def narrowing(model: type[Model]) -> dict[str, dict[str, bool]]:
    """Return ``FILTER`` and ``EXCLUDE`` for boolean columns such as ``is_customer`` and ``is_deleted``."""
    flags = _flags(model)
    included = [each for each in (f"is_{word}" for word in CUSTOMERS[:5]) if each in flags]
    excluded = [each for each in _GONE if each in flags]
    options = {"FILTER": dict.fromkeys(included[:1], True), "EXCLUDE": dict.fromkeys(excluded, True)}
    return {option: value for option, value in options.items() if value}


def no_persons(model: type[Model]) -> dict[str, bool]:
    """Return ``EXCLUDE`` for employees. It covers users that represent a team or a program, and deleted rows."""
    flags = _flags(model)
    return dict.fromkeys([each for each in (*_NOBODY, *_GONE) if each in flags], True)


def colleagues(model: type[Model], staff: type[Model] | None) -> str:
    """Return the relation that marks a row of the customer model as a member of staff.

    This is either a relation to the user, such as ``is_user``, or an employee's one-to-one relation to the row.
    """
    for each in links(model):
        if leads_to(each, get_user_model()) and each.name.startswith("is_") and each.null:
            return str(each.name)
    for relation in model._meta.related_objects:
        if relation.related_model is staff and isinstance(relation.field, OneToOneField):
            return str(relation.field.related_query_name())
    return ""


def _flags(model: type[Model]) -> set[str]:
    return {each.name for each in columns(model) if isinstance(each, BooleanField)}
