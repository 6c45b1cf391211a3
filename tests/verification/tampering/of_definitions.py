"""Manipulations of the tables' definitions by their owner: columns, constraints, indexes, rules, persistence."""

from __future__ import annotations

from django.db import connection

from tests.record import rows
from tests.verification.tampering.definitions_mysql import MARIADB
from tests.verification.tampering.definitions_postgresql import POSTGRESQL
from tests.verification.tampering.definitions_sqlite import SQLITE
from tests.verification.tampering.scene import MANIPULATIONS, Scene, Words, by_vendor, run

if connection.vendor == "postgresql":
    _chosen = {name: by_vendor(words, postgresql=sql) for name, (words, sql) in POSTGRESQL.items()}
elif connection.vendor == "sqlite":
    _chosen = {name: by_vendor(words, sqlite=sql) for name, (words, sql) in SQLITE.items()}
else:
    _chosen = {name: by_vendor(words, undo=undo, mysql=sql) for name, (words, sql, undo) in MARIADB.items()}
MANIPULATIONS |= {f"definition_{name}": act for name, act in _chosen.items() if act is not None}


def _leave_rows_out_of_an_index(scene: Scene) -> Words:
    """Pages find messages by the index, which was away while one was recorded."""
    index = "contact_guard_msg_thread"
    with connection.cursor() as cursor:
        cursor.execute("SELECT type, name, tbl_name, rootpage, sql FROM sqlite_master WHERE name = %s", [index])
        entry = cursor.fetchone()
        run("PRAGMA writable_schema = ON", f"DELETE FROM sqlite_master WHERE name = '{index}'")
        run("PRAGMA writable_schema = RESET")
        rows.message(scene.talk)
        run("PRAGMA writable_schema = ON")
        cursor.execute("INSERT INTO sqlite_master VALUES (%s, %s, %s, %s, %s)", entry)
        run("PRAGMA writable_schema = RESET")
    return [f"crm_contact_guard_message, index {index}: finds 10 of 11 rows"]


if connection.vendor == "sqlite":
    MANIPULATIONS["leave_rows_out_of_an_index"] = _leave_rows_out_of_an_index
