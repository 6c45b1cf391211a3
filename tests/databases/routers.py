"""Routers as hosts write them: each knows the host's own business, and none was made for us."""

from __future__ import annotations

from typing import Any

OURS = "crm_contact_guard"


class Guarded:
    """Our tables, and nothing else, in ``guard``. Says nothing of relations, and nothing of the host's models."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return "guard" if model._meta.app_label == OURS else None

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return (db == "guard") == (app_label == OURS)


class PeopleElsewhere:
    """The host's users, teams and customers in ``people``; what it does not know, ours too, in ``default``."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return "people" if model._meta.app_label == "host" else None

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return (db == "people") == (app_label == "host")


class NoDefault:
    """All of the host in ``people``, ours in ``guard``; ``default`` is empty, as Django allows."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "guard" if model._meta.app_label == OURS else "people"

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return (db == "guard") == (app_label == OURS)


class Replica:
    """Everything is read from ``replica``; only whom to let in is asked of ``default``, since nobody could sign in to a
    host whose replica never learns of a session."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "default" if model._meta.model_name in ("user", "session") else "replica"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "default"

    def allow_relation(self, *rows: Any, **hints: Any) -> bool:
        return True


class Parted:
    """A mistake: events apart from the messages that they tell of."""

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        return "archive" if model._meta.label == f"{OURS}.Event" else None


class Unknown:
    """A mistake: a database that the settings do not have."""

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        return "archive" if model._meta.app_label == OURS else None


class Refused:
    """A mistake: our tables may be used, but not made."""

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return False if app_label == OURS else None
