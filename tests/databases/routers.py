"""Routers as written by hosts, without knowledge of this app."""

from __future__ import annotations

from typing import Any

OURS = "crm_contact_guard"


class Guarded:
    """Only our tables in ``guard``. Does not decide about relations and the host's models."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return "guard" if model._meta.app_label == OURS else None

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return (db == "guard") == (app_label == OURS)


class PeopleElsewhere:
    """The host's users, teams and customers in ``people``; everything else, including ours, in ``default``."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return "people" if model._meta.app_label == "host" else None

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return (db == "people") == (app_label == "host")


class NoDefault:
    """All of the host's tables in ``people``, ours in ``guard``; ``default`` is empty."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "guard" if model._meta.app_label == OURS else "people"

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return (db == "guard") == (app_label == OURS)


class Replica:
    """Everything is read from ``replica``, except sessions and users, since no one could sign in without them."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "default" if model._meta.model_name in ("user", "session") else "replica"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "default"

    def allow_relation(self, *rows: Any, **hints: Any) -> bool:
        return True


class Parted:
    """A mistake: events in another database than their messages."""

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        return "archive" if model._meta.label == f"{OURS}.Event" else None


class Unknown:
    """A mistake: a database that is not in the settings."""

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        return "archive" if model._meta.app_label == OURS else None


class Refused:
    """A mistake: our tables may be used, but not migrated."""

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return False if app_label == OURS else None
