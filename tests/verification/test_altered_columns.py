"""Every column of every table of ours: an altered value, a deleted and an added row are reported and located.

What is not noticed must be declared, with why (``record.following``), and stands in docs/record.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models

from crm_contact_guard.record import following
from crm_contact_guard.record.following import REGISTRY, Checked, Elsewhere, Recorded, Unproven
from crm_contact_guard.record.models import ErasurePermit, Event, Message
from crm_contact_guard.verification.whole_record import verify
from tests.verification.altering import scene
from tests.verification.altering.values import another
from tests.verification.tampering import needs_database
from tests.verification.tampering.scene import past_the_triggers

pytestmark = [needs_database, pytest.mark.timeout(600)]

MODELS = list(apps.get_app_config("crm_contact_guard").get_models(include_auto_created=True))
#: Rows per table whose columns are altered: they are in different states.
_ROWS = 2


@pytest.fixture
def played(settings: Any, tmp_path: Any, mailoutbox: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    scene.play()
    report = verify(file_contents=True)
    assert report.holds, report.faults


def test_every_column_is_declared() -> None:
    assert following.unaccounted() == [], "say in the room's follows.py how these columns follow from the record"


@pytest.mark.usefixtures("played")
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.model_name)
def test_altered_columns_are_reported_by_row_and_name(model: type[models.Model]) -> None:
    rows = list(model._base_manager.order_by("pk")[:_ROWS])
    missed = [
        f"{row.pk}.{field.attname}: {getattr(row, field.attname)!r}"
        for row in rows
        for field in model._meta.concrete_fields
        if not _is_noticed(row, field)
    ]

    assert rows or model is ErasurePermit, "the scene makes none"
    assert not missed


def _is_noticed(row: models.Model, field: models.Field[Any, Any]) -> bool:
    declared = REGISTRY[type(row)].columns[field.attname]
    if isinstance(declared, Unproven):
        return True
    before = getattr(row, field.attname)
    after = another(field, before)
    if field.is_relation and field.unique:
        after = _unused(field) or after
    with _altered(row, field, before, after):
        told = list(map(str, verify(file_contents=True).faults))
    if isinstance(declared, Elsewhere) or field.primary_key:
        return bool(told)
    return any(f"{row._meta.model_name} {row.pk}: {field.attname}: " in fault for fault in told)


def _unused(field: models.Field[Any, Any]) -> Any:
    taken = field.model._base_manager.values(field.attname)
    return field.related_model._base_manager.exclude(pk__in=taken).values_list("pk", flat=True).first()


@contextmanager
def _altered(row: models.Model, field: models.Field[Any, Any], before: Any, after: Any) -> Iterator[None]:
    rows = models.QuerySet(type(row))
    found = rows.filter(pk=row.pk)
    with _unguarded(row):
        assert found.update(**{field.attname: after}) == 1
    yield
    with _unguarded(row):
        key = after if field.primary_key else row.pk
        rows.filter(pk=key).update(**{field.attname: before})


@contextmanager
def _unguarded(row: models.Model) -> Iterator[None]:
    if isinstance(row, Message | Event):
        with past_the_triggers():
            yield
    else:
        with connection.constraint_checks_disabled():
            yield


@pytest.mark.usefixtures("played")
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.model_name)
def test_deleted_rows_are_reported(model: type[models.Model]) -> None:
    for row in model._base_manager.order_by("pk")[:_ROWS]:
        with _unguarded(row):
            models.QuerySet(model).filter(pk=row.pk)._raw_delete(using="default")
        report = verify(file_contents=True)
        with _unguarded(row):
            models.QuerySet(model).bulk_create([row])

        assert bool(REGISTRY[model].deleted) is report.holds, row.pk


@pytest.mark.usefixtures("played")
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.model_name)
def test_added_rows_are_reported(model: type[models.Model]) -> None:
    row = ErasurePermit() if model is ErasurePermit else model._base_manager.order_by("pk")[0]
    for field in model._meta.concrete_fields:
        if field.primary_key and isinstance(field, models.AutoField):
            row.pk = None
        elif field.primary_key or field.unique or field.attname in _together(model):
            value = _unused(field) if field.is_relation and field.unique else None
            setattr(row, field.attname, value or another(field, getattr(row, field.attname)))
    row._state.adding = True
    with _unguarded(row):
        models.QuerySet(model).bulk_create([row])
    report = verify(file_contents=True)
    with _unguarded(row):
        models.QuerySet(model).filter(pk=row.pk)._raw_delete(using="default")

    assert bool(REGISTRY[model].added) is report.holds


def _together(model: type[models.Model]) -> set[str]:
    """Columns of unique constraints, of which one must differ."""
    constraints = [one for one in model._meta.total_unique_constraints if one.fields]
    sets = [*(one.fields for one in constraints), *model._meta.unique_together]
    return {model._meta.get_field(names[-1]).attname for names in sets}


def test_a_declared_column_is_compared_somewhere() -> None:
    kinds = (Recorded, Checked, Elsewhere, Unproven)
    assert all(isinstance(column, kinds) and column.says for one in REGISTRY.values() for column in one.columns.values())
