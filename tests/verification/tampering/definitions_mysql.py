"""Definitions that the tables' owner alters on MariaDB: name → words of the report, SQL, and what undoes it.

MariaDB commits before and after each.
"""

from __future__ import annotations

from tests.verification.tampering.definitions import REFUSES, T, alter


def _undo(table: str, change: str) -> str:
    return f"ALTER TABLE {T}{table} {change}"


#: Name → words, SQL, and what undoes it, since MariaDB commits before and after it.
MARIADB: dict[str, tuple[list[str], list[str], str]] = {
    "shorten_a_column": (
        [f"{T}message.text: has the type varchar(2000), not longtext"],
        alter("message", "MODIFY text varchar(2000) NULL"), _undo("message", "MODIFY text longtext NULL"),
    ),
    "cut_the_microseconds_off": (
        [f"{T}alert.opened_at: has the type datetime, not datetime(6)"],
        alter("alert", "MODIFY opened_at datetime NOT NULL"), _undo("alert", "MODIFY opened_at datetime(6) NOT NULL"),
    ),
    "touch_a_time_at_each_update": (
        [f"{T}alert.opened_at: has a default", f"{T}alert.opened_at: has a rule of its own: on update"],
        alter("alert", "MODIFY opened_at datetime(6) NOT NULL DEFAULT current_timestamp(6)"
               " ON UPDATE current_timestamp(6)"),
        _undo("alert", "MODIFY opened_at datetime(6) NOT NULL"),
    ),
    "allow_null": (
        [f"{T}pending.leaf_hash: allows null"],
        alter("pending", "MODIFY leaf_hash longblob NULL"), _undo("pending", "MODIFY leaf_hash longblob NOT NULL"),
    ),
    "give_a_default": (
        [f"{T}message.source: has a default"],
        alter("message", "ALTER COLUMN source SET DEFAULT 'live'"),
        _undo("message", "ALTER COLUMN source DROP DEFAULT"),
    ),
    "treat_letters_alike": (
        [f"{T}message.from_address: has the collation utf8mb4_general_ci"],
        alter("message", "MODIFY from_address longtext COLLATE utf8mb4_general_ci NULL"),
        _undo("message", "MODIFY from_address longtext COLLATE utf8mb4_bin NULL"),
    ),
    "refuse_a_sender": (
        [f"{T}message, constraint picky", REFUSES],
        alter("message", "ADD CONSTRAINT picky CHECK (from_address <> 'x')"),
        _undo("message", "DROP CONSTRAINT picky"),
    ),
    "add_a_computed_column": (
        [f"{T}message.more: is a column that is not one of ours"],
        alter("message", "ADD COLUMN more int AS (length(channel)) VIRTUAL"), _undo("message", "DROP COLUMN more"),
    ),
    "allow_each_value_once": (
        [f"{T}message, index picky", REFUSES],
        [f"CREATE UNIQUE INDEX picky ON {T}message (id, channel)"], f"DROP INDEX picky ON {T}message",
    ),
    "drop_a_unique_constraint": (
        [f"{T}carriereventid: has lost its unique index on channel, event_id"],
        alter("carriereventid", "DROP INDEX contact_guard_carrier_event_once"),
        _undo("carriereventid", "ADD CONSTRAINT contact_guard_carrier_event_once UNIQUE (channel, event_id)"),
    ),
    "lose_the_queue_at_a_restart": (
        [f"{T}witnessing: is stored by the engine Aria"],
        alter("witnessing", "ENGINE = Aria"), _undo("witnessing", "ENGINE = InnoDB"),
    ),
    "put_a_view_over_the_notices": (
        [f"{T}notice: is not a plain table but a view"],
        [f"RENAME TABLE {T}notice TO real_notice", f"CREATE VIEW {T}notice AS SELECT * FROM real_notice"],
        f"DROP VIEW {T}notice;RENAME TABLE real_notice TO {T}notice",
    ),
    "swallow_findings_by_a_trigger": (
        [f"picky: is a trigger that is not one of ours on {T}finding"],
        [f"CREATE TRIGGER picky BEFORE INSERT ON {T}finding FOR EACH ROW SET NEW.score = 0"], "DROP TRIGGER picky",
    ),
}  # fmt: skip
