"""Texts of ours are compared exactly on MariaDB and MySQL too, whatever the database's collation is.

A database's default collation usually takes ``a``, ``A`` and ``ä`` as equal: a second event of a carrier would count as
known, and be lost, if its id differs in nothing else; a token or key would find another row.
"""

from __future__ import annotations

from itertools import groupby

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper

_CHARACTERS = "utf8mb4"
_EXACT = f"{_CHARACTERS}_bin"
#: Our columns with another collation. Those of foreign keys keep theirs, which both sides must share; they hold ids.
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
    """Give our columns a binary collation where they have another. Returns the altered tables.

    The first time it rebuilds the tables; later it is one query.
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
    """How sessions on MariaDB or MySQL would change texts without an error; empty if they don't.

    Without strict mode, what is too long is cut; a connection in the old ``utf8`` can't carry emoji and many kanji.
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
    """The column's default as SQL. MariaDB gives an expression, MySQL the bare text."""
    if default is None:
        return ""
    if getattr(connection, "mysql_is_mariadb", False):
        return f" DEFAULT {default}"
    return " DEFAULT '{}'".format(default.replace("\\", "\\\\").replace("'", "''"))
