"""Manipulations by things that take the place of built-in ones, and of triggers, on PostgreSQL.

Where it makes sense a row is altered as well, and the shadow spells what was sealed.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection

from tests.verification.tampering.scene import (
    MANIPULATIONS,
    MESSAGE,
    Scene,
    Words,
    by_vendor,
    named,
    past_the_triggers,
    run,
    update,
)

_IDLE = "CREATE FUNCTION idle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$"
_TAKES = "can take the place of PostgreSQL's own"
_GUARD = "contact_guard_message_guard()"
_CHANGED = ["trigger contact_guard_message_update", "is missing, disabled or changed"]

#: Signature and SQL body of functions that spell a text as it was.
_SPELLING = {
    "convert_to(text, text)": "bytea|pg_catalog.convert_to(pg_catalog.replace($1, 'Goodbye', 'Message 1.1'), 'UTF8')",
    "convert_to(text, varchar)": "bytea|pg_catalog.convert_to($1, 'UTF8')",
    "concat_ws(text, VARIADIC text[])": "text|'sealed'",
    "concat(VARIADIC text[])": "text|'sealed'",
    "octet_length(varchar)": "int|1",
    "sha256(text)": "bytea|pg_catalog.sha256('')",
    "to_char(timestamptz, varchar)": "text|'2026-01-01T00:00:00.000000Z'",
    "timezone(varchar, timestamptz)": "timestamp|'2026-01-01'::timestamp",
    "uuid_send(text)": "bytea|''::bytea",
    "substr(bytea, bigint, bigint)": "bytea|''::bytea",
    "length(varchar)": "int|1",
    "lower(varchar)": "text|'sealed'",
    "upper(varchar)": "text|'sealed'",
    "count(text)": "bigint|0::bigint",
    "max(timestamptz, int)": "timestamptz|$1",
}
#: Operator, types, result and body of what it calls.
_OPERATORS = {
    "=": ("varchar, varchar", "boolean", "true"),
    "<>": ("varchar, varchar", "boolean", "false"),
    "<": ("varchar, varchar", "boolean", "true"),
    "~~": ("varchar, varchar", "boolean", "true"),
    "||": ("varchar, varchar", "text", "'sealed'"),
    ">": ("uuid, text", "boolean", "true"),
}


def _shadow(kind: str, *statements: str) -> Callable[[Scene], Words]:
    def act(scene: Scene) -> Words:
        update(scene.victim, text="Goodbye")
        run(*statements)
        return [named(scene.victim), "text differs from what was sealed", kind, _TAKES]

    return act


def _function(signature: str, spelled: str) -> Callable[[Scene], Words]:
    result, body = spelled.split("|")
    name = signature.partition("(")[0]
    statement = f"CREATE FUNCTION public.{signature} RETURNS {result} LANGUAGE sql IMMUTABLE AS $$ SELECT {body} $$"
    return _shadow(f"function public.{name}(", statement)


def _operator(name: str, types: str, result: str, body: str) -> Callable[[Scene], Words]:
    left, right = types.split(", ")
    return _shadow(
        f"operator public.{name}(",
        f"CREATE FUNCTION lie({types}) RETURNS {result} LANGUAGE sql IMMUTABLE AS $$ SELECT {body} $$",
        f"CREATE OPERATOR public.{name} (FUNCTION = lie, LEFTARG = {left}, RIGHTARG = {right})",
    )


def shadow_everything() -> None:
    """Functions and operators of the application's session that say of everything that it is in order."""
    run("SET CONSTRAINTS ALL IMMEDIATE")
    for signature, spelled in _SPELLING.items():
        result, body = spelled.split("|")
        run(
            f"CREATE OR REPLACE FUNCTION public.{signature} RETURNS {result} LANGUAGE sql IMMUTABLE AS"
            f" $$ SELECT {body} $$"
        )
    run("CREATE SCHEMA lies")
    for number, (name, (types, result, body)) in enumerate(_OPERATORS.items()):
        left, right = types.split(", ")
        run(
            f"CREATE FUNCTION lies.lie{number}({types}) RETURNS {result} LANGUAGE sql IMMUTABLE AS $$ SELECT {body} $$",
            f"DROP OPERATOR IF EXISTS public.{name} ({types})",
            f"CREATE OPERATOR public.{name} (FUNCTION = lies.lie{number}, LEFTARG = {left}, RIGHTARG = {right})",
        )


#: Name → words, SQL.
_OTHERS: dict[str, tuple[list[str], list[str]]] = {
    "type_of_a_built_in_name": (
        ["type public.uuid", "has the name of a built-in type"],
        ["CREATE DOMAIN public.uuid AS text"],
    ),
    "cast_of_ids": (
        ["cast from uuid to text", "by a function that is not built in"],
        ["CREATE FUNCTION lie(uuid) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'sealed'::text $$",
         "CREATE CAST (uuid AS text) WITH FUNCTION lie(uuid) AS IMPLICIT"],
    ),
    "cast_of_times": (
        ["cast from text to timestamp with time zone", "by a function that is not built in"],
        ["CREATE FUNCTION lie(text) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$ SELECT now() $$",
         "CREATE CAST (text AS timestamptz) WITH FUNCTION lie(text) AS IMPLICIT"],
    ),
    "cast_of_bytes": (
        ["cast from text to bytea", "by a function that is not built in"],
        ["CREATE CAST (text AS bytea) WITHOUT FUNCTION AS IMPLICIT"],
    ),
    "built_in_function_replaced": (
        ["function pg_catalog.quote_ident(text)", "replaces a built-in function"],
        ["CREATE OR REPLACE FUNCTION pg_catalog.quote_ident(text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT AS"
         " $$ BEGIN RETURN 'sealed'; END $$"],
    ),
    "built_in_function_with_settings": (
        ["function pg_catalog.quote_literal(text)", "replaces a built-in function"],
        ["ALTER FUNCTION pg_catalog.quote_literal(text) SET search_path = public"],
    ),
    "function_among_the_built_in": (
        ["function pg_catalog.convert_to(", "was added to them"],
        ["CREATE FUNCTION pg_catalog.convert_to(text, text) RETURNS bytea LANGUAGE sql IMMUTABLE AS"
         " $$ SELECT ''::bytea $$"],
    ),
    "operator_among_the_built_in": (
        ["operator pg_catalog.=(character varying, character varying)", "was added to them"],
        ["CREATE FUNCTION lie(varchar, varchar) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT true $$",
         "CREATE OPERATOR pg_catalog.= (FUNCTION = lie, LEFTARG = varchar, RIGHTARG = varchar)"],
    ),
    "role_that_fires_no_triggers": (
        ["settings of role", "session_replication_role=replica", "past the triggers"],
        ["ALTER ROLE postgres SET session_replication_role = replica"],
    ),
    "database_that_fires_no_triggers": (
        ["settings of every role", "session_replication_role=replica"],
        ["DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET session_replication_role = replica', current_database());"
         " END $$"],
    ),
    "role_with_functions_of_its_own": (
        ["settings of role", "search_path=evil, pg_catalog"],
        ["ALTER ROLE postgres SET search_path = evil, pg_catalog"],
    ),
    # Triggers
    "our_name_on_another_recorded_table": (
        ["contact_guard_message_update: is a trigger that is not one of ours on crm_contact_guard_event"],
        [_IDLE, "CREATE TRIGGER contact_guard_message_update BEFORE INSERT ON crm_contact_guard_event FOR EACH ROW"
         " WHEN (NEW.kind = 'view.content') EXECUTE FUNCTION idle()"],
    ),
    "our_name_on_the_queue": (
        ["contact_guard_event_pending: is a trigger that is not one of ours on crm_contact_guard_pending"],
        [_IDLE, "CREATE TRIGGER contact_guard_event_pending BEFORE INSERT ON crm_contact_guard_pending FOR EACH ROW"
         " EXECUTE FUNCTION idle()"],
    ),
    "our_name_on_the_alerts": (
        ["contact_guard_message_delete: is a trigger that is not one of ours on crm_contact_guard_alert"],
        [_IDLE, "CREATE TRIGGER contact_guard_message_delete BEFORE INSERT ON crm_contact_guard_alert FOR EACH ROW"
         " EXECUTE FUNCTION idle()"],
    ),
    "trigger_on_the_customers": (
        ["helpful: is a trigger that is not one of ours on crm_contact_guard_customer"],
        [_IDLE, "CREATE TRIGGER helpful BEFORE UPDATE ON crm_contact_guard_customer FOR EACH ROW"
         " EXECUTE FUNCTION idle()"],
    ),
    "constraint_trigger": (
        ["helpful: is a trigger that is not one of ours on crm_contact_guard_event"],
        [_IDLE, "CREATE CONSTRAINT TRIGGER helpful AFTER INSERT ON crm_contact_guard_event DEFERRABLE FOR EACH ROW"
         " EXECUTE FUNCTION idle()"],
    ),
    "function_of_a_trigger_with_more_rights": (_CHANGED, [f"ALTER FUNCTION {_GUARD} SECURITY DEFINER"]),
    "function_of_a_trigger_with_settings": (_CHANGED, [f"ALTER FUNCTION {_GUARD} SET search_path = public"]),
    "function_of_a_trigger_elsewhere": (
        _CHANGED,
        ["CREATE SCHEMA evil", "DO $$ DECLARE body text; BEGIN SELECT pg_get_functiondef('public."
         f"{_GUARD}'::regprocedure) INTO body; EXECUTE replace(body, 'FUNCTION public.', 'FUNCTION evil.'); END $$",
         f"DROP TRIGGER contact_guard_message_update ON {MESSAGE}",
         f"CREATE TRIGGER contact_guard_message_update BEFORE UPDATE ON {MESSAGE} FOR EACH ROW"
         f" EXECUTE FUNCTION evil.{_GUARD}"],
    ),
    "trigger_with_arguments": (
        _CHANGED,
        [f"DROP TRIGGER contact_guard_message_update ON {MESSAGE}",
         f"CREATE TRIGGER contact_guard_message_update BEFORE UPDATE ON {MESSAGE} FOR EACH ROW"
         " EXECUTE FUNCTION contact_guard_message_guard('x')"],
    ),
    "trigger_for_each_statement": (
        ["trigger contact_guard_message_delete"],
        [f"DROP TRIGGER contact_guard_message_delete ON {MESSAGE}",
         f"CREATE TRIGGER contact_guard_message_delete AFTER DELETE ON {MESSAGE} EXECUTE FUNCTION"
         " contact_guard_refuse()"],
    ),
}  # fmt: skip


def _erase_and_lie(scene: Scene) -> Words:
    """The operator finds an erasure of every row."""
    update(scene.victim, text=None, salt=None)
    run(
        "CREATE FUNCTION lie(varchar, varchar) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT true $$",
        "CREATE OPERATOR public.= (FUNCTION = lie, LEFTARG = varchar, RIGHTARG = varchar)",
    )
    return [f"message {scene.victim.pk}", "operator public.=(", _TAKES]


def _refused_tables_of_a_session(scene: Scene) -> Words:
    """An ordinary role's temporary permit does not let it erase: the guard reads ours."""
    from django.db import DatabaseError, transaction

    run(f"CREATE TEMP TABLE crm_contact_guard_erasurepermit AS SELECT '{scene.victim.pk}'::uuid AS row_id")
    try:
        with transaction.atomic():
            run(f"UPDATE {MESSAGE} SET text = NULL WHERE id = '{scene.victim.pk}'")
    except DatabaseError as error:
        assert "recorded rows can not be changed" in str(error)  # noqa: PT017 - the report is compared besides
    else:
        raise AssertionError("the guard was led to a temporary table")
    return ["crm_contact_guard_erasurepermit: is a temporary table in front of ours"]


def _refused_by_operators(scene: Scene) -> Words:
    """The guard does not ask an operator of the session whether values are the same."""
    from django.db import DatabaseError, transaction

    run(
        f"INSERT INTO crm_contact_guard_erasurepermit VALUES ('{scene.victim.pk}')",
        "CREATE FUNCTION lie(varchar, varchar) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT true $$",
        "CREATE OPERATOR public.= (FUNCTION = lie, LEFTARG = varchar, RIGHTARG = varchar)",
    )
    try:
        with transaction.atomic():
            run(f"UPDATE {MESSAGE} SET channel = 'other' WHERE id = '{scene.victim.pk}'")
    except DatabaseError as error:
        assert "recorded rows can not be changed" in str(error)  # noqa: PT017 - the report is compared besides
    else:
        raise AssertionError("the guard was led to another operator")
    return ["has an open erasure permit", "operator public.=("]


def _move_bytes_into_the_salt(scene: Scene) -> Words:
    """What is hashed stays the same, if nobody looks at the salt's length."""
    with past_the_triggers():
        run(f"UPDATE {MESSAGE} SET salt = salt || '\\x31'::bytea WHERE id = '{scene.victim.pk}'")
    return [named(scene.victim), "salt was removed or altered"]


def _time(column: str, value: str) -> Callable[[Scene], Words]:
    def act(scene: Scene) -> Words:
        with past_the_triggers():
            run(f"UPDATE {MESSAGE} SET {column} = {value} WHERE id = '{scene.victim.pk}'")
        return [f"message {scene.victim.pk}", "differ"]

    return act


if connection.vendor == "postgresql":
    MANIPULATIONS |= {f"shadow_{signature}": _function(signature, body) for signature, body in _SPELLING.items()}
    MANIPULATIONS |= {f"shadow_operator {name}": _operator(name, *rest) for name, rest in _OPERATORS.items()}
    MANIPULATIONS |= {
        f"shadow_{name}": act
        for name, (words, sql) in _OTHERS.items()
        if (act := by_vendor(words, postgresql=sql)) is not None
    }
    MANIPULATIONS |= {
        "shadow_erase_and_lie": _erase_and_lie,
        "shadow_refused_tables_of_a_session": _refused_tables_of_a_session,
        "shadow_refused_by_operators": _refused_by_operators,
        "move_bytes_into_the_salt": _move_bytes_into_the_salt,
        "write_a_time_before_christ": _time("occurred_at", "occurred_at - 4051 * interval '1 year'"),
        # Spelled like the year of our era.
        "write_the_same_year_before_christ": _time(
            "occurred_at",
            "(to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '+00 BC')::timestamptz",
        ),
        "record_before_christ": _time(
            "recorded_at",
            "(to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '+00 BC')::timestamptz",
        ),
        "write_a_time_before_all_others": _time("recorded_at", "'-infinity'"),
        "write_a_time_of_the_year_ten_thousand": _time("occurred_at", "occurred_at + interval '9000 years'"),
    }
