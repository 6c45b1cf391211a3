"""Definitions that whoever can write the file alters on SQLite: name → words of the report, SQL."""

from __future__ import annotations

from tests.verification.tampering.definitions import REFUSES, T

_SQLITE_TABLE = (
    "PRAGMA writable_schema = ON",
    "UPDATE sqlite_master SET sql = replace(sql, '{old}', '{new}') WHERE type = 'table' AND name = '{t}{table}'",
    "PRAGMA writable_schema = OFF",
)


def _written(table: str, old: str, new: str) -> list[str]:
    """SQLite: change the stored definition of a table, as a whoever can write the file may."""
    return [
        part.format(old=old.replace("'", "''"), new=new.replace("'", "''"), t=T, table=table) for part in _SQLITE_TABLE
    ]


SQLITE: dict[str, tuple[list[str], list[str]]] = {
    "shorten_a_column": (
        [f"{T}message.text: is altered"],
        _written("message", '"text" text', '"text" varchar(10)'),
    ),
    "allow_null": ([f"{T}message.direction: is altered"],
                   _written("message", '"direction" varchar(8) NOT NULL', '"direction" varchar(8) NULL')),
    "give_a_default": ([f"{T}message.source: is altered"],
                       _written("message", '"source" varchar(16) NOT NULL', "\"source\" varchar(16) DEFAULT ''")),
    "treat_letters_alike": ([f"{T}message.from_address: is altered"],
                            _written("message", '"from_address" text', '"from_address" text COLLATE NOCASE')),
    "treat_tenants_alike": ([f"{T}conversation.tenant: is altered"],
                            _written("conversation", '"tenant" varchar(64)', '"tenant" varchar(64) COLLATE NOCASE')),
    "refuse_a_sender": ([f"{T}message.from_address: is altered", "CHECK"],
                        _written("message", '"from_address" text', "\"from_address\" text CHECK (text <> 'x')")),
    "refuse_grave_alerts": ([f"{T}alert.severity: is altered"],
                            _written("alert", '"severity" smallint unsigned NOT NULL CHECK ("severity" >= 0)',
                                     '"severity" smallint unsigned NOT NULL CHECK ("severity" < 3)')),
    "drop_a_check": ([f"{T}delivery.attempts: is altered"],
                     _written("delivery", ' CHECK ("attempts" >= 0)', "")),
    "drop_a_foreign_key": ([f"{T}message.customer_id: is altered"],
                           _written("message", f' REFERENCES "{T}customer" ("id") DEFERRABLE INITIALLY DEFERRED', "")),
    "delete_rows_by_a_foreign_key": (
        [f"{T}delivery.message_id: is altered", "ON DELETE CASCADE"],
        _written("delivery", f'REFERENCES "{T}message" ("id")', f'REFERENCES "{T}message" ("id") ON DELETE CASCADE'),
    ),
    "add_a_column": ([f"{T}event.more: is not one of ours"], [f"ALTER TABLE {T}event ADD COLUMN more text"]),
    "add_a_computed_column": (
        [f"{T}message.more: is not one of ours"],
        [f"ALTER TABLE {T}message ADD COLUMN more int GENERATED ALWAYS AS (length(channel)) VIRTUAL"],
    ),
    "allow_one_message_of_a_sender": (
        [f"{T}message, index picky", REFUSES],
        [f"CREATE UNIQUE INDEX picky ON {T}message (from_address) WHERE from_address = 'x'"],
    ),
    "allow_each_value_once": (
        [f"{T}message, index picky", REFUSES],
        [f"CREATE UNIQUE INDEX picky ON {T}message (id, from_address)"],
    ),
    "compute_in_an_index": (
        [f"{T}message, index picky", "computes something for each row"],
        [f"CREATE INDEX picky ON {T}message (json(coalesce(details, 'null')))"],
    ),
    "compute_in_a_condition": (
        [f"{T}message, index picky", "computes something for each row"],
        [f"CREATE INDEX picky ON {T}message (id) WHERE json(coalesce(details, 'null')) IS NOT NULL"],
    ),
    "drop_a_unique_index": (
        [f"{T}employee_teams: has lost its unique index on employee, team"],
        ["DROP INDEX crm_contact_guard_employee_teams_employee_id_team_id_00202a57_uniq"],
    ),
    "put_a_view_over_the_conversations": (
        [f"{T}conversation: is not a plain table but a view"],
        [f"ALTER TABLE {T}conversation RENAME TO real_conversation",
         f"CREATE VIEW {T}conversation AS SELECT * FROM real_conversation"],
    ),
    "put_a_temporary_table_in_front": (
        [f"{T}pending: is a temporary table in front of our tables"],
        [f"CREATE TEMP TABLE {T}pending AS SELECT * FROM main.{T}pending"],
    ),
    "put_a_temporary_view_in_front": (
        [f"{T}message: is a temporary view in front of our tables"],
        [f"CREATE TEMP VIEW {T}message AS SELECT * FROM main.{T}message WHERE channel <> 'chat'"],
    ),
    "swallow_alerts_by_a_temporary_trigger": (
        ["picky: is a temporary trigger in front of our tables"],
        [f"CREATE TEMP TRIGGER picky BEFORE INSERT ON main.{T}alert BEGIN SELECT RAISE(IGNORE); END"],
    ),
    "swallow_findings_by_a_trigger": (
        [f"picky: is a trigger that is not one of ours on {T}finding"],
        [f"CREATE TRIGGER picky BEFORE INSERT ON {T}finding BEGIN SELECT RAISE(IGNORE); END"],
    ),
    "lose_the_numbers_of_the_queue": ([f"{T}pending.id: is altered"], _written("pending", " AUTOINCREMENT", "")),
}  # fmt: skip
