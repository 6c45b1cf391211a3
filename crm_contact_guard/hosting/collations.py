"""Have MariaDB and MySQL compare our text columns exactly, whatever the database's collation is.

A database's default collation usually treats ``a``, ``A`` and ``ä`` as equal. A carrier's event whose ID differs from
that of an earlier one only in such letters would count as already known and be lost. A token or key could find another
row.
"""

from __future__ import annotations

from itertools import groupby

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper

_CHARACTERS = "utf8mb4"
_EXACT = f"{_CHARACTERS}_bin"
#: Query for our columns with another collation. Foreign key columns are excluded: they hold IDs, and their collation
#: must be the same on both sides.
_OTHERS = r"""
SELECT c.table_name, c.column_name, c.column_type, c.is_nullable, c.column_default
FROM information_schema.columns c
WHERE c.table_schema = DATABASE() AND c.table_name IN %s
AND (c.collation_name NOT LIKE '%%\_bin' OR c.character_set_name <> 'utf8mb4')
AND NOT EXISTS (
  SELECT 1 FROM information_schema.key_column_usage k
  WHERE k.table_schema = DATABASE() AND k.referenced_table_name IS NOT NULL
  AND ((k.table_name = c.table_name AND k.column_name = c.column_name)
       OR (k.referenced_table_name = c.table_name AND k.referenced_column_name = c.column_name)))
ORDER BY c.table_name, c.ordinal_position
"""


def make_exact(connection: BaseDatabaseWrapper) -> list[str]:
    """Set a binary collation on those of our columns that have another one. Return the altered tables.

    The first call rebuilds the tables. Later calls take a single query.
    """
    if connection.vendor != "mysql":
        return []
    tables = [model._meta.db_table for model in apps.get_app_config("crm_contact_guard").get_models()]
    quote = connection.ops.quote_name
    altered = []
    with connection.cursor() as cursor:
        cursor.execute(_OTHERS, [tuple(tables)])
        for table, columns in groupby(cursor.fetchall(), key=lambda row: str(row[0])):
            changes = [
                f"MODIFY {quote(name)} {kind} CHARACTER SET {_CHARACTERS} COLLATE {_EXACT}"
                f" {'NULL' if nullable == 'YES' else 'NOT NULL'}{_default(connection, default)}"
                for _table, name, kind, nullable, default in columns
            ]
            cursor.execute(f"ALTER TABLE {quote(table)} {', '.join(changes)}")
            altered.append(table)
    return altered


def losses(connection: BaseDatabaseWrapper) -> str:
    """Return how sessions on MariaDB or MySQL would silently change text, or an empty string if they wouldn't.

    Without strict mode, values that are too long are truncated. A connection that uses the old ``utf8`` can't transmit
    emoji and many kanji.
    """
    if connection.vendor != "mysql":
        return ""
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@sql_mode, @@character_set_connection")
        mode, characters = cursor.fetchone()
    lost = []
    if not {"STRICT_TRANS_TABLES", "STRICT_ALL_TABLES", "TRADITIONAL"} & set(str(mode).split(",")):
        lost.append("sql_mode has no STRICT_TRANS_TABLES, so long values are cut")
    if characters != _CHARACTERS:
        lost.append(f"the connection's character set is {characters}, not {_CHARACTERS}")
    return "; ".join(lost)


def _default(connection: BaseDatabaseWrapper, default: str | None) -> str:
    """Return the column's default as SQL. MariaDB reports it as an expression, MySQL as plain text."""
    if default is None:
        return ""
    if getattr(connection, "mysql_is_mariadb", False):
        return f" DEFAULT {default}"
    return " DEFAULT '{}'".format(default.replace("\\", "\\\\").replace("'", "''"))
