"""Definitions that the tables' owner alters on PostgreSQL: name → words of the report, SQL."""

from __future__ import annotations

from tests.verification.tampering.definitions import REFUSES, T, alter


def _constraint(table: str, kind: str, columns: str) -> str:
    """PostgreSQL: drop the constraint on these columns, whatever its name is."""
    return (
        f"DO $$ DECLARE found text; BEGIN SELECT conname INTO STRICT found FROM pg_constraint WHERE"
        f" conrelid = '{T}{table}'::regclass AND contype = '{kind}' AND (SELECT string_agg(attname::text, ',' ORDER BY"
        f" attnum) FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY(conkey)) = '{columns}';"
        f" EXECUTE format('ALTER TABLE {T}{table} DROP CONSTRAINT %I CASCADE', found); END $$"
    )


_LOOSE = "CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level1', deterministic = false)"
_ONCE = "CREATE FUNCTION picky(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT $1 <> 'x' $$"

POSTGRESQL: dict[str, tuple[list[str], list[str]]] = {
    # Types
    "shorten_a_column": (
        [f"{T}message.text: has the type character varying(2000), not text"],
        alter("message", "ALTER COLUMN text TYPE varchar(2000)"),
    ),
    "lengthen_a_column": (
        [f"{T}event.kind: has the type character varying(99)"],
        alter("event", "ALTER COLUMN kind TYPE varchar(99)"),
    ),
    "pad_a_column": (
        [f"{T}message.direction: has the type character(8)"],
        alter("message", "ALTER COLUMN direction TYPE char(8)"),
    ),
    "take_the_zone_from_a_time": (
        [f"{T}message.occurred_at: has the type timestamp without time zone"],
        alter("message", "ALTER COLUMN occurred_at TYPE timestamp USING timezone('UTC', occurred_at)"),
    ),
    "cut_the_microseconds_off": (
        [f"{T}event.occurred_at: has the type timestamp(0) with time zone"],
        alter("event", "ALTER COLUMN occurred_at TYPE timestamptz(0)"),
    ),
    "store_canonical_json_as_jsonb": (
        [f"{T}message.details: has the type jsonb"],
        alter("message", "ALTER COLUMN details TYPE jsonb USING details::jsonb"),
    ),
    "store_text_in_a_domain": (
        [f"{T}message.text: has the type", "picky"],
        ["CREATE DOMAIN picky AS text CHECK (VALUE <> 'x')", *alter("message", "ALTER COLUMN text TYPE picky")],
    ),
    "store_ids_as_text": (
        [f"{T}pending.row_id: has the type text, not uuid"],
        alter("pending", "ALTER COLUMN row_id TYPE text"),
    ),
    "widen_a_number": (
        [f"{T}delivery.attempts: has the type integer, not smallint"],
        alter("delivery", "ALTER COLUMN attempts TYPE integer"),
    ),
    "round_a_score": (
        [f"{T}finding.score: has the type real, not double precision"],
        alter("finding", "ALTER COLUMN score TYPE real"),
    ),
    # Nulls, defaults, generated and added columns
    "allow_null": ([f"{T}message.direction: allows null"], alter("message", "ALTER COLUMN direction DROP NOT NULL")),
    "allow_null_in_the_queue": (
        [f"{T}pending.leaf_hash: allows null"],
        alter("pending", "ALTER COLUMN leaf_hash DROP NOT NULL"),
    ),
    "refuse_null": ([f"{T}alert.closed_at: refuses null"], alter("alert", "ALTER COLUMN closed_at SET NOT NULL")),
    "give_a_default": (
        [f"{T}message.source: has a default, 'live'"],
        alter("message", "ALTER COLUMN source SET DEFAULT 'live'"),
    ),
    "run_a_function_as_default": (
        [f"{T}event.data: has a default"],
        alter("event", "ALTER COLUMN data SET DEFAULT pg_catalog.current_query()"),
    ),
    "add_a_column": ([f"{T}event.more: is a column that is not one of ours"], alter("event", "ADD COLUMN more text")),
    "add_a_required_column": (
        [f"{T}pending.more: is a column that is not one of ours"],
        alter("pending", "ADD COLUMN more text NOT NULL"),
    ),
    "add_a_computed_column": (
        [f"{T}message.more: is a column that is not one of ours"],
        alter("message", "ADD COLUMN more int GENERATED ALWAYS AS (10 / length(channel)) STORED"),
    ),
    "compute_a_column_instead": (
        [f"{T}notice.last_error: is generated"],
        [*alter("notice", "DROP COLUMN last_error"),
         *alter("notice", "ADD COLUMN last_error varchar(500) NOT NULL GENERATED ALWAYS AS"
                 " (''::varchar(500)) STORED")],
    ),
    "rename_a_column": (
        [f"{T}witnessing.kept_at: is a missing column",
         f"{T}witnessing.stored_at: is a column that is not one of ours"],
        alter("witnessing", "RENAME COLUMN kept_at TO stored_at"),
    ),
    "count_the_queue_down": (
        [f"{T}pending.id: is numbered by a sequence with other limits"],
        alter("pending", "ALTER COLUMN id SET INCREMENT BY -1"),
    ),
    "end_the_queues_numbers": (
        [f"{T}pending.id: is numbered by a sequence with other limits"],
        alter("pending", "ALTER COLUMN id SET MAXVALUE 10000000"),
    ),
    "begin_the_queues_numbers_again": (
        [f"{T}pending.id: is numbered by a sequence with other limits"],
        alter("pending", "ALTER COLUMN id SET CYCLE"),
    ),
    "stop_numbering_the_queue": (
        [f"{T}pending.id: is not numbered any more"],
        alter("pending", "ALTER COLUMN id DROP IDENTITY"),
    ),
    # Collations
    "treat_letters_alike": (
        [f"{T}message.from_address: has the collation loose"],
        [_LOOSE, *alter("message", "ALTER COLUMN from_address TYPE text COLLATE loose")],
    ),
    "treat_tenants_alike": (
        [f"{T}conversation.tenant: has the collation loose"],
        [_LOOSE, *alter("conversation", "ALTER COLUMN tenant TYPE varchar(64) COLLATE loose")],
    ),
    "sort_otherwise": (
        [f'{T}event.kind: has the collation C'],
        alter("event", 'ALTER COLUMN kind TYPE varchar(64) COLLATE "C"'),
    ),
    # Constraints
    "refuse_a_sender": (
        [f"{T}message, constraint picky", REFUSES, "hanako@example.com"],
        alter("message", "ADD CONSTRAINT picky CHECK (from_address <> 'hanako@example.com') NOT VALID"),
    ),
    "refuse_a_tenant": (
        [f"{T}conversation, constraint picky", REFUSES],
        alter("conversation", "ADD CONSTRAINT picky CHECK (tenant <> 'kyoto')"),
    ),
    "refuse_events_in_the_queue": (
        [f"{T}pending, constraint picky", REFUSES],
        alter("pending", "ADD CONSTRAINT picky CHECK (row_kind = 'message')"),
    ),
    "refuse_grave_alerts": (
        [f"{T}alert, constraint picky", REFUSES],
        alter("alert", "ADD CONSTRAINT picky CHECK (severity < 3)"),
    ),
    "refuse_by_a_function": (
        [f"{T}message, constraint picky", REFUSES],
        [_ONCE, *alter("message", "ADD CONSTRAINT picky CHECK (picky(from_name))")],
    ),
    "refuse_by_an_exclusion": (
        [f"{T}message, constraint picky", REFUSES],
        alter("message", "ADD CONSTRAINT picky EXCLUDE (carrier_id WITH =) WHERE (carrier_id = 'x')"),
    ),
    "refuse_by_a_foreign_key": (
        [f"{T}finding, constraint picky", REFUSES],
        ["CREATE TABLE allowed (kind varchar(32) PRIMARY KEY)",
         *alter("finding", "ADD CONSTRAINT picky FOREIGN KEY (kind) REFERENCES allowed (kind)")],
    ),
    "drop_a_foreign_key": (
        [f"{T}message.customer_id: has lost its foreign key to {T}customer"],
        [_constraint("message", "f", "customer_id")],
    ),
    "delete_rows_by_a_foreign_key": (
        [f"{T}delivery, constraint", "is altered", "ON DELETE CASCADE"],
        [_constraint("delivery", "f", "message_id"),
         *alter("delivery", f"ADD FOREIGN KEY (message_id) REFERENCES {T}message (id) ON DELETE CASCADE"
                 " DEFERRABLE INITIALLY DEFERRED")],
    ),
    "check_a_foreign_key_at_once": (
        [f"{T}delivery, constraint", "is altered"],
        [_constraint("delivery", "f", "message_id"),
         *alter("delivery", f"ADD FOREIGN KEY (message_id) REFERENCES {T}message (id)")],
    ),
    "leave_a_foreign_key_unchecked": (
        [f"{T}delivery, constraint", "is altered", "NOT VALID"],
        [_constraint("delivery", "f", "message_id"),
         *alter("delivery", f"ADD FOREIGN KEY (message_id) REFERENCES {T}message (id) DEFERRABLE INITIALLY DEFERRED"
                 " NOT VALID")],
    ),
    "drop_a_check": (
        [f"{T}delivery.attempts: has lost its check against negative numbers"],
        [_constraint("delivery", "c", "attempts")],
    ),
    "turn_a_check_round": (
        [f"{T}delivery.attempts: has lost its check", f"{T}delivery, constraint", REFUSES],
        [_constraint("delivery", "c", "attempts"), *alter("delivery", "ADD CHECK (attempts >= 0 AND attempts < 1)")],
    ),
    # Indexes
    "drop_a_unique_constraint": (
        [f"{T}carriereventid: has lost its unique index on channel, event_id: rows can be doubled"],
        alter("carriereventid", "DROP CONSTRAINT contact_guard_carrier_event_once"),
    ),
    "drop_a_primary_key": (
        [f"{T}erasurepermit: has lost its unique index on row_id"],
        [_constraint("erasurepermit", "p", "row_id")],
    ),
    "limit_a_unique_index": (
        [f"{T}carriereventid: has lost its unique index on channel, event_id"],
        [*alter("carriereventid", "DROP CONSTRAINT contact_guard_carrier_event_once"),
         f"CREATE UNIQUE INDEX contact_guard_carrier_event_once ON {T}carriereventid (channel, event_id)"
         " WHERE channel <> 'line'"],
    ),
    "make_an_index_not_unique": (
        [f"{T}idempotencykey: has lost its unique index on employee_id, key"],
        [*alter("idempotencykey", "DROP CONSTRAINT contact_guard_idempotency_key_once"),
         f"CREATE INDEX contact_guard_idempotency_key_once ON {T}idempotencykey (employee_id, key)"],
    ),
    "defer_a_unique_constraint": (
        [f"{T}idempotencykey: has lost its unique index on employee_id, key"],
        [*alter("idempotencykey", "DROP CONSTRAINT contact_guard_idempotency_key_once"),
         *alter("idempotencykey", "ADD CONSTRAINT contact_guard_idempotency_key_once UNIQUE (employee_id, key)"
                 " DEFERRABLE INITIALLY DEFERRED")],
    ),
    "compare_unique_values_otherwise": (
        [f"{T}carriereventid: has lost its unique index on channel, event_id"],
        [*alter("carriereventid", "DROP CONSTRAINT contact_guard_carrier_event_once"),
         f'CREATE UNIQUE INDEX other ON {T}carriereventid (channel, event_id COLLATE "C")'],
    ),
    "invalidate_a_unique_index": (
        [f"{T}carriereventid: has lost its unique index on channel, event_id"],
        ["UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'contact_guard_carrier_event_once'::regclass"],
    ),
    "allow_each_value_once": (
        [f"{T}message, index picky", REFUSES],
        [f"CREATE UNIQUE INDEX picky ON {T}message (id, from_address)"],
    ),
    "allow_one_message_of_a_sender": (
        [f"{T}message, index picky", REFUSES],
        [f"CREATE UNIQUE INDEX picky ON {T}message (from_address) WHERE from_address = 'x'"],
    ),
    "divide_by_zero_in_an_index": (
        [f"{T}message, index picky", "computes something for each row"],
        [f"CREATE INDEX picky ON {T}message ((1 / length(coalesce(channel, ''))))"],
    ),
    "call_a_function_in_an_index": (
        [f"{T}message, index picky", "computes something for each row"],
        [_ONCE, f"CREATE INDEX picky ON {T}message (id) WHERE picky(from_name)"],
    ),
    "fake_the_name_of_a_partial_index": (
        [f"{T}alert, index contact_guard_alert_queue", "computes something for each row"],
        ["DROP INDEX contact_guard_alert_queue",
         f"CREATE INDEX contact_guard_alert_queue ON {T}alert (team_id) WHERE 1 / severity > 0"],
    ),
    "refuse_long_texts_by_an_index": (
        [f"{T}message, index picky", "refuses long values"],
        [f"CREATE INDEX picky ON {T}message (text)"],
    ),
    # Tables
    "lose_the_queue_in_a_crash": ([f"{T}pending: is UNLOGGED"], alter("pending", "SET UNLOGGED")),
    "lose_the_tiles_in_a_crash": ([f"{T}tile: is UNLOGGED"], alter("tile", "SET UNLOGGED")),
    "hide_alerts_by_row_security": (
        [f"{T}alert: has row-level security"],
        alter("alert", "ENABLE ROW LEVEL SECURITY"),
    ),
    "prepare_a_policy": (
        [f"{T}message: has row-level policies (picky)"],
        [f"CREATE POLICY picky ON {T}message USING (channel <> 'chat')"],
    ),
    "drop_the_queue_by_a_rule": (
        [f"picky: is a rule that is not one of ours on {T}pending"],
        [f"CREATE RULE picky AS ON INSERT TO {T}pending DO INSTEAD NOTHING"],
    ),
    "copy_alerts_by_a_rule": (
        [f"picky: is a rule that is not one of ours on {T}alert"],
        [f"CREATE RULE picky AS ON UPDATE TO {T}alert DO ALSO DELETE FROM {T}notice"],
    ),
    "inherit_from_the_queue": (
        [f"inherits from {T}pending"],
        [f"CREATE TABLE more () INHERITS ({T}pending)"],
    ),
    "inherit_into_an_alert": (
        [f"{T}notice: inherits from another table"],
        ["CREATE TABLE parent (state varchar(8) NOT NULL)", *alter("notice", "INHERIT parent")],
    ),
    "put_a_view_over_the_conversations": (
        [f"{T}conversation: is not a plain table but a view"],
        [*alter("conversation", "RENAME TO real_conversation"),
         f"CREATE VIEW {T}conversation AS SELECT * FROM real_conversation"],
    ),
    "put_a_kept_view_over_the_seals": (
        [f"{T}seal: is not a plain table but a materialised view"],
        [*alter("seal", "RENAME TO real_seal"), f"CREATE MATERIALIZED VIEW {T}seal AS SELECT * FROM real_seal"],
    ),
    "put_partitions_under_the_queue": (
        [f"{T}pending: is not a plain table but a partitioned table"],
        [*alter("pending", "RENAME TO real_pending"),
         f"CREATE TABLE {T}pending (LIKE real_pending INCLUDING DEFAULTS) PARTITION BY LIST (row_kind)"],
    ),
    "put_a_foreign_table_over_the_notices": (
        [f"{T}notice: is not a plain table but a foreign table"],
        ["CREATE FOREIGN DATA WRAPPER away", "CREATE SERVER away FOREIGN DATA WRAPPER away",
         *alter("notice", "RENAME TO real_notice"),
         f"CREATE FOREIGN TABLE {T}notice (id bigint) SERVER away"],
    ),
    "drop_a_table": ([f"{T}media: is missing"], [f"DROP TABLE {T}media CASCADE"]),
    "move_a_table_to_another_schema": (
        [f"{T}notice: is missing from the schema of the other tables"],
        ["CREATE SCHEMA other", *alter("notice", "SET SCHEMA other")],
    ),
    "put_a_table_in_front": (
        [f"other.{T}alert: is in front of our table of that name"],
        ["CREATE SCHEMA other", f"CREATE TABLE other.{T}alert (LIKE {T}alert)",
         "SET LOCAL search_path = other, public"],
    ),
    "put_a_temporary_table_in_front": (
        [f"{T}pending: is a temporary table in front of ours"],
        [f"CREATE TEMP TABLE {T}pending (LIKE {T}pending INCLUDING ALL)"],
    ),
    "disable_foreign_keys": (
        [f"{T}delivery: has foreign keys that are not enforced"],
        alter("delivery", "DISABLE TRIGGER ALL"),
    ),
}  # fmt: skip
