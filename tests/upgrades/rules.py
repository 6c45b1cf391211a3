"""What a migration may do: each has a way back or a word why not, and none stops a host whose old code still runs, or
locks a large table for long."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import migrations, models
from django.db.migrations.operations.base import Operation

#: Tables that grow with each message.
LARGE = {"message", "event", "finding", "inspection", "delivery", "carriereventid", "attachment", "seal", "tile"}
_NOT_REVERSED = "Not reversed:"
_LARGE_TABLES = "Large tables:"
_OLD_CODE = "Old code:"


def faults(migration: migrations.Migration, told: str) -> Iterator[str]:
    """What is wrong with a migration whose docstring is ``told``.

    A sentence there that begins with "Not reversed:", "Old code:" or "Large tables:" says why it is right all the same.
    """
    for operation in migration.operations:
        what = operation.describe()
        if not operation.reversible and _NOT_REVERSED not in told:
            yield f"{what}: has no way back, and no '{_NOT_REVERSED}' says why"
        if _stops_old_code(operation) and _OLD_CODE not in told:
            yield f"{what}: code of the version before can no longer write, and no '{_OLD_CODE}' says why it may"
        if _locks(operation) and _LARGE_TABLES not in told:
            yield f"{what}: may lock a large table for long, and no '{_LARGE_TABLES}' says why not"


def _stops_old_code(operation: Operation) -> bool:
    if isinstance(operation, migrations.AddField):
        # Django takes the default away from the column again: an INSERT that does not know it fails.
        field = operation.field
        return not (field.null or field.many_to_many or field.has_db_default())
    if isinstance(operation, migrations.AlterField):
        return not operation.field.null and "choices" not in operation.field.deconstruct()[3]
    gone = (migrations.RemoveField, migrations.RenameField, migrations.DeleteModel, migrations.RenameModel)
    return isinstance(operation, (*gone, migrations.AlterModelTable))


def _locks(operation: Operation) -> bool:
    table = str(getattr(operation, "model_name", "")).lower()
    if isinstance(operation, migrations.AlterField):
        return table in LARGE
    if isinstance(operation, migrations.AddField):
        return table in LARGE and isinstance(operation.field, models.ForeignKey)
    if isinstance(operation, (migrations.AddIndex, migrations.AddConstraint)):
        return table in LARGE and type(operation).__name__ != "AddIndexConcurrently"
    return isinstance(operation, (migrations.RunPython, migrations.RunSQL)) and not operation.elidable
