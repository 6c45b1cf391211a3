"""A version's rows as a file that any database takes, and a database as that version left it."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from crm_contact_guard.record import triggers

APP = "crm_contact_guard"
#: The host's rows come along: what is recorded points to its users and customers.
APPS = ("host", APP)
VERSIONS = Path(__file__).parent / "versions"

#: Migrations that move values from one column to another.
MOVING = ("0023_notice_by_subject",)


class _Encoder(DjangoJSONEncoder):
    def default(self, value: Any) -> Any:
        if isinstance(value, (bytes, memoryview)):
            return base64.b64encode(bytes(value)).decode()
        if isinstance(value, datetime):
            return value.isoformat()  # Django's encoder cuts microseconds, and the leaf holds them
        return super().default(value)


def versions() -> list[str]:
    """Names of the versions that are kept, as in ``CHANGELOG.md``."""
    return sorted(path.name.removesuffix(".json.gz") for path in VERSIONS.glob("*.json.gz"))


def write(version: str) -> Path:
    """Keep what the database holds now."""
    rows = {
        model._meta.label: [
            {field.attname: getattr(row, field.attname) for field in model._meta.concrete_fields}
            for row in model._base_manager.order_by("pk")
        ]
        for label in APPS
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
    }
    text = json.dumps(
        {"version": version, "migration": leaf(), "rows": rows}, cls=_Encoder, ensure_ascii=False, indent=1
    )
    VERSIONS.mkdir(exist_ok=True)
    file = VERSIONS / f"{version}.json.gz"
    file.write_bytes(gzip.compress(text.encode(), mtime=0))
    return file


def read(version: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gzip.decompress((VERSIONS / f"{version}.json.gz").read_bytes()))
    return found


def newest_at(migration: str) -> str:
    """Name of the newest version that a database at this migration may hold; the oldest one if there is none.

    Rows of newer versions need tables and columns that the database doesn't have yet.
    """
    return max((one for one in versions() if read(one)["migration"] <= migration), default=versions()[0])


def leaf() -> str:
    """Name of the app's newest migration."""
    [name] = [name for app, name in MigrationExecutor(connection).loader.graph.leaf_nodes() if app == APP]
    return name


def migrations() -> list[str]:
    """Names of the app's migrations, the first one first."""
    graph = MigrationExecutor(connection).loader.graph
    return [name for app, name in graph.forwards_plan((APP, leaf())) if app == APP]


def takes(kept: dict[str, Any], migration: str) -> str:
    """The newest migration up to this one whose tables have all columns that the kept rows fill."""
    passed = [name for name in MOVING if kept["migration"] < name <= migration]
    names = migrations()
    return names[names.index(passed[0]) - 1] if passed else migration


def migrate(name: str | None) -> None:
    """Bring the app's tables to a migration (None: take them away)."""
    MigrationExecutor(connection).migrate([(APP, name)])


def models_at(name: str) -> Any:
    """Return the models as they were at a migration."""
    return MigrationExecutor(connection).loader.project_state([(APP, name)]).apps


def clear() -> None:
    """Take the app's tables away at once, without the migrations' way back."""
    triggers.uninstall(connection)
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        cascade = " CASCADE" if connection.vendor == "postgresql" else ""
        for table in connection.introspection.table_names(cursor):
            if table.startswith(f"{APP}_"):
                cursor.execute(f"DROP TABLE {table}{cascade}")
    MigrationRecorder(connection).migration_qs.filter(app=APP).delete()


def load(kept: dict[str, Any], state: Any) -> None:
    """Put the rows into tables of an old state: columns and tables which that state does not know are left out."""
    # The host's tables point to each other in a circle; all is checked at the end.
    with connection.constraint_checks_disabled(), transaction.atomic():
        for label, rows in kept["rows"].items():
            model = _model(state, label)
            if model is None or label == f"{APP}.Pending":
                continue
            fields = {field.attname: field for field in model._meta.concrete_fields}
            if model._meta.auto_created:
                del fields["id"]  # the database counts these rows itself
            made = [
                {name: _value(fields[name], value) for name, value in row.items() if name in fields} for row in rows
            ]
            model._base_manager.bulk_create(model(**values) for values in made)
        _pend(kept, state)
    connection.check_constraints()


def _pend(kept: dict[str, Any], state: Any) -> None:
    """What waits for its seal, as it was: our INSERTs may have made the triggers note all rows."""
    pending = state.get_model(APP, "Pending")
    pending.objects.all().delete()
    fields = {field.attname: field for field in pending._meta.concrete_fields}
    rows = kept["rows"][f"{APP}.Pending"]
    if _model(state, f"{APP}.Seal") is None:  # nothing was sealed yet
        kinds = (("message", "Message"), ("event", "Event"))
        recorded = [
            (row["recorded_at"], row["id"], kind, row["leaf_hash"])
            for kind, model in kinds
            for row in kept["rows"][f"{APP}.{model}"]
        ]
        rows = [{"row_kind": kind, "row_id": key, "leaf_hash": leaf} for _at, key, kind, leaf in sorted(recorded)]
    pending.objects.bulk_create(
        pending(**{name: _value(fields[name], value) for name, value in row.items() if name != "id"}) for row in rows
    )


def _model(state: Any, label: str) -> Any:
    """Our model as it was then, the host's as it is now; None: that state has no such table."""
    try:
        return state.get_model(label) if label.startswith(f"{APP}.") else apps.get_model(label)
    except LookupError:
        return None


def _value(field: Any, value: Any) -> Any:
    if value is None:
        return None
    target = field.target_field if field.is_relation else field
    if isinstance(target, models.BinaryField):
        return base64.b64decode(value)
    return value if isinstance(target, models.JSONField) else target.to_python(value)
