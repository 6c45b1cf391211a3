"""Read one row of a host's table: by its key, whether it is active, and a person's name, email and URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import DatabaseError
from django.db.models import Manager, QuerySet

from crm_contact_guard.conf import settings
from crm_contact_guard.crm import paths
from crm_contact_guard.exceptions import ConfigurationError


def get(rows: Manager[Any] | QuerySet[Any], key: str) -> Any:
    """Return the row with the primary key ``key``, or None if there is no such row or the key is invalid."""
    if "\0" in key:
        return None  # PostgreSQL raises an error for NUL, which would abort the transaction
    try:
        return rows.get(pk=rows.model._meta.pk.to_python(key))
    except (ObjectDoesNotExist, ValueError, TypeError, OverflowError, ValidationError):
        return None


def shared_key(row: Any, path: str) -> str:
    """Return the key shared by all rows of a customer, in lower case."""
    return paths.key(row, path).strip().lower()


def user_path() -> str:
    """Return the path from a row of ``EMPLOYEE["MODEL"]`` to its user."""
    return str(settings.EMPLOYEE.get("USER", "user"))


def is_narrowed(setting: str) -> bool:
    """Whether the setting has a ``FILTER`` or ``EXCLUDE``."""
    spec = getattr(settings, setting)
    return bool(spec.get("FILTER") or spec.get("EXCLUDE"))


def is_active(row: Any) -> bool:
    """Whether an employee's row is active."""
    return all(paths.values(row, settings.EMPLOYEE.get("ACTIVE", "is_active")))


def own_url(row: Any) -> str:
    """Return the row's ``get_absolute_url()``, or "" if it fails, since the method isn't configured explicitly."""
    try:
        return paths.first(row, "get_absolute_url")
    except DatabaseError:
        raise
    except Exception:  # noqa: BLE001 - a host's method may raise anything
        return ""


def person_name(row: Any) -> str:
    """Return a person's full name, or the row as text if its model has none."""
    full = getattr(row, "get_full_name", None)
    try:
        return (full() if callable(full) else "") or str(row)
    except TypeError:  # str() of Django's user model is the login name, which may be None
        return f"{row._meta.verbose_name} {row.pk}"


def person_email(user: Any) -> str:
    """Return the email address in the user model's own email field."""
    return paths.first(user, getattr(user, "EMAIL_FIELD", None) or "email")


@contextmanager
def reading(setting: str, row: Any) -> Iterator[None]:
    """Convert an exception from a host's property or method to a ConfigurationError that names the row and setting."""
    try:
        yield
    except (ConfigurationError, DatabaseError):
        raise
    except Exception as problem:
        what = f'{type(row).__name__} {getattr(row, "pk", "")} can\'t be read with CONTACT_GUARD["{setting}"]'
        raise ConfigurationError(f"{what}: {type(problem).__name__}: {problem}") from problem
