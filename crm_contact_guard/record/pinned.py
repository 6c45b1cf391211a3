"""Read our tables so that nothing else in the database can take the place of a table, function, operator or cast.

PostgreSQL looks up unqualified names along ``search_path``, and prefers a function or operator from any schema on that
path if it matches the types exactly. For example, it prefers ``public.convert_to(text, text)`` to the built-in
``convert_to(text, name)``. Within ``pinned``, built-in objects are found in ``pg_catalog`` only, and every statement,
including those of Django's ORM, is rewritten to name the schema of our tables. On SQLite, our tables are read from
``main``, so that a temporary table or view can't hide them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, Final

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

#: The beginning of our tables' names in a statement.
_NAMES: Final = '"crm_contact_guard_'
#: Our tables are in the first schema on the search path that contains this one.
_FIRST: Final = "crm_contact_guard_message"
#: Session settings that could change the meaning or the results of our statements. JIT is off, since compiling takes
#: longer than our queries of the catalogue.
_SETTINGS: Final = {
    "search_path": "pg_catalog, pg_temp",
    "TimeZone": "UTC",
    "DateStyle": "ISO, MDY",
    "standard_conforming_strings": "on",
    "transform_null_equals": "off",
    "jit": "off",
}

_PREFIXES: Final = {"sqlite": '"main".', "mysql": ""}

#: Alias of a pinned connection → prefix of its table names, quoted and with a trailing dot.
_prefixes: ContextVar[Mapping[str, str]] = ContextVar("crm_contact_guard_pinned", default=MappingProxyType({}))
#: Alias of a pinned connection → its settings before it was pinned.
_before: ContextVar[Mapping[str, dict[str, str]]] = ContextVar(
    "crm_contact_guard_pinned_before", default=MappingProxyType({})
)


@contextmanager
def pinned(using: str, *, snapshot: bool = False) -> Iterator[None]:
    """Within this block, read only from our tables, and use only built-in functions and operators.

    On PostgreSQL, this opens a read-only transaction, or a savepoint inside an open transaction. With ``snapshot``, all
    statements see the same rows (REPEATABLE READ). Inside an open transaction, that transaction's isolation level
    applies instead.
    """
    connection = connections[using]
    outermost = not connection.in_atomic_block
    if connection.vendor != "postgresql":
        if outermost and connection.vendor == "mysql" and snapshot:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        # A long read transaction would keep SQLite's writers waiting.
        within, prefix = transaction.atomic(using=using) if snapshot else nullcontext(), _PREFIXES[connection.vendor]
        with within, _prefixed(connection, prefix):
            yield
        return
    with transaction.atomic(using=using):
        if outermost:
            level = "REPEATABLE READ" if snapshot else "READ COMMITTED"
            with connection.cursor() as cursor:
                cursor.execute(f"SET TRANSACTION ISOLATION LEVEL {level} READ ONLY")
        schema = _prefixes.get().get(using)
        if schema is None:
            name = schema_of_tables(connection)
            schema = f"{connection.ops.quote_name(name)}." if name is not None else ""
        before = _set(connection, _SETTINGS)
        token = _before.set({**_before.get(), using: before})
        try:
            with _prefixed(connection, schema):
                yield
        finally:
            _before.reset(token)
        # After an error, the rollback of the transaction or savepoint resets the settings instead.
        _set(connection, before)


@contextmanager
def released(using: str) -> Iterator[None]:
    """Within ``pinned``, let host code use the connection as usual, for example a storage that uses the database."""
    before, prefixes = _before.get().get(using), dict(_prefixes.get())
    prefixes.pop(using, None)
    token = _prefixes.set(prefixes)
    if before is not None:
        _set(connections[using], before)
    try:
        yield
    finally:
        _prefixes.reset(token)
        if before is not None:
            _set(connections[using], _SETTINGS)


def qualified(connection: BaseDatabaseWrapper, statement: str) -> str:
    """Return ``statement`` with our tables' names, which must be quoted, prefixed with their schema."""
    prefix = _prefixes.get().get(connection.alias)
    return statement.replace(_NAMES, prefix + _NAMES) if prefix else statement


def schema_of_tables(connection: BaseDatabaseWrapper) -> str | None:
    """Return the first PostgreSQL schema on the search path that contains our tables; None if there is none.

    Temporary tables don't count, since they belong to one session.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.name FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) WITH ORDINALITY AS s(name, place)"
            " JOIN pg_catalog.pg_namespace n ON n.nspname OPERATOR(pg_catalog.=) s.name"
            " JOIN pg_catalog.pg_class c ON c.relnamespace OPERATOR(pg_catalog.=) n.oid"
            f" WHERE c.relname OPERATOR(pg_catalog.=) '{_FIRST}'::pg_catalog.name"
            " AND NOT n.oid OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema() ORDER BY s.place LIMIT 1"
        )
        found = cursor.fetchone()
    return None if found is None else str(found[0])


@contextmanager
def _prefixed(connection: BaseDatabaseWrapper, prefix: str) -> Iterator[None]:
    token = _prefixes.set({**_prefixes.get(), connection.alias: prefix})
    try:
        with connection.execute_wrapper(_qualify):
            yield
    finally:
        _prefixes.reset(token)


def _qualify(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    return execute(qualified(context["connection"], sql), params, many, context)


def _set(connection: BaseDatabaseWrapper, values: dict[str, str]) -> dict[str, str]:
    """Set these settings until the transaction ends, and return their previous values."""
    names = list(values)
    current = ", ".join(["pg_catalog.current_setting(%s::pg_catalog.text)"] * len(names))
    change = ", ".join(["pg_catalog.set_config(%s::pg_catalog.text, %s::pg_catalog.text, true)"] * len(names))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {current}", names)
        before = dict(zip(names, cursor.fetchone(), strict=True))
        cursor.execute(f"SELECT {change}", [part for item in values.items() for part in item])
    return before
