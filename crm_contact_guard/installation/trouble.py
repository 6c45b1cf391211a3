"""Error messages for database failures."""

from __future__ import annotations

from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, connections


def describe(error: Exception) -> str:
    """Return a message that says which database failed, why, and what to do."""
    connection = connections[DEFAULT_DB_ALIAS]
    what = " ".join(str(error).split()) or type(error).__name__
    settings = connection.settings_dict
    where = f"{connection.vendor} {str(settings['NAME'])!r}" + (f" on {settings['HOST']}" if settings["HOST"] else "")
    try:
        connection.ensure_connection()
    except (DatabaseError, InterfaceError):
        return f"The database ({where}) can't be reached: {what}. Nothing was lost; rerun this when it is available."
    return f"The database ({where}) reported an error: {what}. If tables are missing, run manage.py migrate."
