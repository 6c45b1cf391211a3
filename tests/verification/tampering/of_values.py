"""Values that are spelled like what was sealed but are read differently, and values that nobody can read."""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection

from crm_contact_guard.proof.canonical import EVENT_OPEN, EVENT_PERSONAL, MESSAGE_OPEN, MESSAGE_PERSONAL
from crm_contact_guard.record.models import Event, Message
from tests.verification.tampering.scene import MANIPULATIONS, MESSAGE, Scene, Words, named, past_the_triggers, run

_ODD = "holds a value that the application would not have written"
_SPELLED = "another type or spelling than what was sealed"
EVENT = "crm_contact_guard_event"


def _stored(table: str, column: str, value: str, name: str, *, where: str = "") -> Callable[[Scene], Words]:
    """SQLite: store another value of the same spelling in the victim, or in the event about it."""

    def act(scene: Scene) -> Words:
        row = scene.victim if table == MESSAGE else scene.event(scene.victim)
        with past_the_triggers():
            run(f"UPDATE {table} SET {column} = {value.format(c=column)} WHERE id = '{row.pk.hex}' {where}")
        if name in ("conversation", "customer", "message"):
            # Foreign keys are checked after each test; the row is put back then.
            scene.undo.append(f"UPDATE {table} SET {column} = CAST({column} AS TEXT) WHERE id = '{row.pk.hex}'")
        return [f"{row._meta.model_name} {row.pk}", f"{name} has {_SPELLED}"]

    return act


def _column(model: type[Message | Event], name: str) -> str:
    return f'"{model._meta.get_field(name).column}"'


if connection.vendor == "sqlite":
    #: Values that the scene's rows don't have.
    _EMPTY = {"employee", "reply_to", "quoted", "to_address", "files"}
    for _name in (*MESSAGE_OPEN[1:], *MESSAGE_PERSONAL):
        if _name not in _EMPTY:
            MANIPULATIONS[f"store_a_blob_as_{_name}"] = _stored(
                MESSAGE, _column(Message, _name), "CAST({c} AS BLOB)", _name
            )
    for _name in (*EVENT_OPEN[1:], *EVENT_PERSONAL):
        if _name != "details":
            MANIPULATIONS[f"store_a_blob_as_{_name}_of_an_event"] = _stored(
                EVENT, _column(Event, _name), "CAST({c} AS BLOB)", _name
            )
    for _way, _value in {
        "with_a_t": "replace({c}, ' ', 'T')",
        "with_a_t_and_a_z": "replace({c}, ' ', 'T') || 'Z'",
        "with_a_zone": "{c} || '+00:00'",
        "with_seven_digits": "{c} || '0'",
        "with_a_space_more": "{c} || ' '",
    }.items():
        for _name in ("occurred_at", "recorded_at"):
            MANIPULATIONS[f"spell_{_name}_{_way}"] = _stored(MESSAGE, f'"{_name}"', _value, _name)


def _elsewhere(table: str, change: str, column: str) -> Callable[[Scene], Words]:
    """A value in a table of working state, of which the scene has at least one row."""

    def act(scene: Scene) -> Words:
        statement = f"UPDATE crm_contact_guard_{table} SET {change}"
        unchecked = [f"PRAGMA ignore_check_constraints = {state}" for state in ("ON", "OFF")]
        run(*([unchecked[0], statement, unchecked[1]] if connection.vendor == "sqlite" else [statement]))
        return [f"{table} ", f"{column} {_ODD}"]

    return act


_ELSEWHERE = {
    "postgresql": {
        "a_conversation_created_before_christ": ("conversation", "created_at = '0044-03-15 BC'", "created_at"),
        "a_conversation_without_end": ("conversation", "last_message_at = 'infinity'", "last_message_at"),
        "a_conversation_waiting_for_ever": ("conversation", "waiting_since = '-infinity'", "waiting_since"),
        "a_conversation_of_the_year_ten_thousand": ("conversation", "created_at = '10000-01-01'", "created_at"),
    },
    "sqlite": {
        "an_active_employee_of_two": ("employee", "active = 2", "active"),
        "a_name_as_a_blob": ("customer", "name = CAST(name AS BLOB)", "name"),
        "a_tenant_as_a_blob": ("conversation", "tenant = CAST(tenant AS BLOB)", "tenant"),
        "a_token_as_a_blob": ("conversation", "reply_token = CAST(reply_token AS BLOB)", "reply_token"),
        "unread_as_text": ("conversation", "unread = 'many'", "unread"),
        "unread_as_a_fraction": ("conversation", "unread = 0.5", "unread"),
        "created_with_a_t": ("conversation", "created_at = replace(created_at, ' ', 'T')", "created_at"),
        "created_never": ("conversation", "created_at = ''", "created_at"),
        "created_in_seconds": ("conversation", "created_at = 1700000000", "created_at"),
        "hours_that_are_no_json": ("employee", "working_hours = '{'", "working_hours"),
        "a_seal_with_a_t": ("seal", "sealed_at = replace(sealed_at, ' ', 'T')", "sealed_at"),
    },
    "mysql": {
        "an_active_employee_of_two": ("employee", "active = 2", "active"),
    },
}
MANIPULATIONS |= {name: _elsewhere(*rest) for name, rest in _ELSEWHERE[connection.vendor].items()}


def _text(value: str, name: str = "text") -> Callable[[Scene], Words]:
    def act(scene: Scene) -> Words:
        from tests.verification.tampering.scene import update

        changed = {
            "a space before": lambda old: f" {old}", "a line feed after": lambda old: f"{old}\n",
            "capitals": str.upper, "no-break spaces": lambda old: old.replace(" ", "\u00a0"),
            "a zero-width space": lambda old: f"{old}\u200b", "wide digits": lambda old: old.replace("1", "\uff11"),
            "another composition": lambda old: old.replace("ば", "は\u3099"),
            "spaces in JSON": lambda old: old.replace(":", ": "),
            "escapes in JSON": lambda old: old.replace("w", "\\u0077"),
            "a key twice in JSON": lambda old: old.replace("{", '{"client":"x",'),
        }[value](getattr(scene.victim, name))  # fmt: skip
        assert changed != getattr(scene.victim, name)
        update(scene.victim, **{name: changed})
        return [named(scene.victim), f"{name} differs from what was sealed"]

    return act


MANIPULATIONS |= {
    f"rewrite_with_{value.replace(' ', '_')}": _text(value)
    for value in ("a space before", "a line feed after", "capitals", "no-break spaces", "a zero-width space",
                  "wide digits", "another composition")
} | {
    f"rewrite_with_{value.replace(' ', '_')}": _text(value, "details")
    for value in ("spaces in JSON", "escapes in JSON", "a key twice in JSON")
}  # fmt: skip
