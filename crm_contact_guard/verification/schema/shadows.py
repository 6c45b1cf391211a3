"""Find objects that take the place of PostgreSQL's built-in functions, operators, casts and types in other sessions.

Such objects can't mislead verification itself (see ``record.pinned``), but they can mislead the application, which
looks up names along its ``search_path``. Call ``faults`` within ``pinned``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper

from crm_contact_guard.verification.schema.expected import Said

#: Object identifiers from this one on were assigned after the database was created (FirstNormalObjectId).
_NORMAL: Final = 16384
#: Functions used in our statements, in those that Django generates for us, and in our trigger functions.
FUNCTIONS: Final = (
    *(
        "abs",
        "array_agg",
        "cardinality",
        "ceil",
        "chr",
        "concat",
        "concat_ws",
        "convert_to",
        "count",
        "current_setting",
    ),
    *("date_part", "date_trunc", "decode", "encode", "extract", "floor", "greatest", "jsonb_agg", "left", "length"),
    *("like", "lower", "max", "md5", "min", "mod", "now", "octet_length", "overlay", "position", "repeat", "replace"),
    *("right", "round", "row_to_json", "set_config", "sha256", "statement_timestamp", "string_agg", "strpos", "substr"),
    *("substring", "sum", "textin", "textlike", "timestamptz_send", "timezone", "to_char", "to_json", "to_timestamp"),
    *("trim", "unnest", "upper", "uuid_out", "uuid_send", "boolsend", "bool_and", "bool_or", "btrim", "row_number"),
)
_OPERATORS: Final = (
    *("=", "<>", "<", ">", "<=", ">=", "||", "~~", "!~~", "~~*"),
    *("!~~*", "~", "~*", "+", "-", "*", "/", "*="),
)
_TYPES: Final = (
    *("text", "varchar", "bpchar", "uuid", "bytea", "bool", "int2", "int4", "int8", "float8", "numeric", "name"),
    *("timestamptz", "timestamp", "date", "time", "interval", "json", "jsonb", "oid", "regclass"),
)

_BUILT_IN_TYPES: Final = f"NOT EXISTS (SELECT 1 FROM unnest({{types}}) AS a(type) WHERE a.type >= {_NORMAL})"
_SEEN: Final = "n.nspname = ANY(%s) AND n.nspname <> 'pg_catalog'"
#: Whether an object belongs to an extension. The owner of an extension can add objects to it, so such objects are
#: still reported, but as notes.
_OF_EXTENSION: Final = (
    "EXISTS (SELECT 1 FROM pg_depend e"
    " WHERE e.deptype = 'e' AND e.classid = '{table}'::regclass AND e.objid = {row}.oid)"
)
_CHECKS: Final[tuple[tuple[str, str], ...]] = (
    (
        "SELECT 'function ' || n.nspname || '.' || p.proname || '('"
        f" || pg_get_function_identity_arguments(p.oid) || ')', {_OF_EXTENSION.format(table='pg_proc', row='p')}"
        f" FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {_SEEN} AND p.proname = ANY(%s)"
        f" AND {_BUILT_IN_TYPES.format(types='p.proargtypes::oid[]')} ORDER BY 1",
        "can take the place of PostgreSQL's own function in every query of the application",
    ),
    (
        "SELECT 'operator ' || n.nspname || '.' || o.oprname || '(' || format_type(o.oprleft, NULL) || ', '"
        f" || format_type(o.oprright, NULL) || ')', {_OF_EXTENSION.format(table='pg_operator', row='o')}"
        " FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace"
        f" WHERE {_SEEN} AND o.oprname = ANY(%s) AND o.oprleft < {_NORMAL} AND o.oprright < {_NORMAL} ORDER BY 1",
        "can take the place of PostgreSQL's own operator in every query of the application",
    ),
    (
        f"SELECT 'type ' || n.nspname || '.' || t.typname, {_OF_EXTENSION.format(table='pg_type', row='t')}"
        " FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace"
        f" WHERE {_SEEN} AND t.typname = ANY(%s) ORDER BY 1",
        "has the name of a built-in type",
    ),
)
#: Checks without parameters.
_EVERYWHERE: Final = (
    (
        "SELECT 'cast from ' || format_type(c.castsource, NULL) || ' to ' || format_type(c.casttarget, NULL)"
        f" FROM pg_cast c WHERE c.castsource < {_NORMAL} AND c.casttarget < {_NORMAL}"
        f" AND (c.castfunc >= {_NORMAL} OR c.oid >= {_NORMAL} AND c.castmethod = 'b') ORDER BY 1",
        "converts built-in types by a function that is not built in",
    ),
    (
        "SELECT 'function pg_catalog.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')'"
        " FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE p.pronamespace = 'pg_catalog'::regnamespace"
        f" AND (p.oid < {_NORMAL} AND"
        " (l.lanname NOT IN ('internal', 'c', 'sql') OR p.proconfig IS NOT NULL OR p.prosecdef)"
        f" OR p.oid >= {_NORMAL} AND NOT EXISTS (SELECT 1 FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass"
        " AND e.objid = p.oid AND e.deptype = 'e')) ORDER BY 1",
        "replaces a built-in function, or was added to them",
    ),
    (
        "SELECT 'operator pg_catalog.' || o.oprname || '(' || format_type(o.oprleft, NULL) || ', '"
        " || format_type(o.oprright, NULL) || ')' FROM pg_operator o"
        " WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND (o.oid >= 16384 OR o.oprcode >= 16384) ORDER BY 1",
        "replaces a built-in operator, or was added to them",
    ),
    (
        "SELECT 'settings of '"
        " || CASE s.setrole WHEN 0 THEN 'every role' ELSE 'role ' || pg_get_userbyid(s.setrole) END || ', ' || c.entry"
        " FROM pg_db_role_setting s CROSS JOIN unnest(s.setconfig) AS c(entry)"
        " WHERE s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))"
        " AND (lower(c.entry) LIKE 'session\\_replication\\_role=replica%'"
        " OR lower(c.entry) LIKE 'transform\\_null\\_equals=%' AND lower(c.entry) <> 'transform_null_equals=off'"
        " OR lower(c.entry) LIKE 'search\\_path=%,%pg\\_catalog%') ORDER BY 1",
        "lead its sessions past the triggers, or to other functions than PostgreSQL's own",
    ),
)

_PATHS: Final = (
    "SELECT CASE s.setrole WHEN 0 THEN 'every role' ELSE 'role ' || pg_get_userbyid(s.setrole) END || ', ' || c.entry"
    " FROM pg_db_role_setting s CROSS JOIN unnest(s.setconfig) AS c(entry) WHERE lower(c.entry) LIKE 'search\\_path=%'"
    " AND s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())) ORDER BY 1"
)


def faults(connection: BaseDatabaseWrapper, path: Sequence[str]) -> Iterator[Said]:
    """Yield the objects that take the place of built-in ones in sessions with this search path."""
    yield from _shadowing(connection, path, of_extensions=False)
    for statement, why in _EVERYWHERE:
        for name in _names(connection, statement):
            yield name, why
    if "pg_catalog" in path:
        for name in path[: path.index("pg_catalog")]:
            if not name.startswith("pg_temp"):
                yield (
                    f"schema {name}",
                    "precedes pg_catalog in search_path: its functions replace the database's built-in ones",
                )


def notes(connection: BaseDatabaseWrapper, path: Sequence[str]) -> Iterator[Said]:
    """Yield what may belong to the host, but should be known: extensions' objects, event triggers, and search paths."""
    yield from _shadowing(connection, path, of_extensions=True)
    for name in _names(connection, "SELECT evtname::text FROM pg_event_trigger WHERE evtenabled <> 'D' ORDER BY 1"):
        yield f"event trigger {name}", "runs a function at changes of the schema"
    for name in _names(connection, _PATHS):
        yield name, "is where its sessions look for tables: verify as the role of the application"


def _shadowing(connection: BaseDatabaseWrapper, path: Sequence[str], *, of_extensions: bool) -> Iterator[Said]:
    with connection.cursor() as cursor:
        for (statement, why), names in zip(_CHECKS, (FUNCTIONS, _OPERATORS, _TYPES), strict=True):
            cursor.execute(statement, [list(path), list(names)])
            for name, of_extension in cursor.fetchall():
                if of_extension is of_extensions:
                    yield str(name), why


def _names(connection: BaseDatabaseWrapper, statement: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return [str(name) for (name,) in cursor.fetchall()]
