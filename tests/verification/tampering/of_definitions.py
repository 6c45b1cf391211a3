"""Manipulations of the tables' definitions by their owner: columns, constraints, indexes, rules, persistence."""

from __future__ import annotations

from django.db import connection

from tests.verification.tampering.definitions_mysql import MARIADB
from tests.verification.tampering.definitions_postgresql import POSTGRESQL
from tests.verification.tampering.definitions_sqlite import SQLITE
from tests.verification.tampering.scene import MANIPULATIONS, by_vendor

if connection.vendor == "postgresql":
    _chosen = {name: by_vendor(words, postgresql=sql) for name, (words, sql) in POSTGRESQL.items()}
elif connection.vendor == "sqlite":
    _chosen = {name: by_vendor(words, sqlite=sql) for name, (words, sql) in SQLITE.items()}
else:
    _chosen = {name: by_vendor(words, undo=undo, mysql=sql) for name, (words, sql, undo) in MARIADB.items()}
MANIPULATIONS |= {f"definition_{name}": act for name, act in _chosen.items() if act is not None}
