"""Every column of every table of ours: an altered value, a deleted and an added row are reported and located.

What is not noticed must be declared, with why (``record.following``), and stands in docs/record.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import zip_longest
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction

from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.record import following
from crm_contact_guard.record.following import REGISTRY, Checked, Elsewhere, Recorded, Unproven
from crm_contact_guard.record.models import ErasurePermit, Event, Message
from crm_contact_guard.verification.whole_record import verify
from tests.verification.altering import scene
from tests.verification.altering.values import others
from tests.verification.tampering import needs_database
from tests.verification.tampering.scene import past_the_triggers

pytestmark = [needs_database, pytest.mark.timeout(600)]

MODELS = list(apps.get_app_config("crm_contact_guard").get_models(include_auto_created=True))
#: Rows per table whose columns are altered: they are in different states.
ROWS = 2
RECORDED = (Message, Event)


@pytest.fixture
def played(settings: Any, tmp_path: Any, mailoutbox: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    scene.play()
    report = verify(file_contents=True)
    assert report.holds, report.faults


def test_every_column_is_declared() -> None:
    assert following.unaccounted() == [], "say in the room's follows.py how these columns follow from the record"


@pytest.mark.usefixtures("played")
def test_altered_columns_are_reported_by_table_row_and_name() -> None:
    """One column of each table at a time; alone what other tables are compared with: keys and the record."""
    places = {model: list(_places(model)) for model in MODELS}
    alone = [place for one in places.values() for place in one if place[1].primary_key or type(place[0]) in RECORDED]
    rounds = [[place for place in one if place not in (None, *alone)] for one in zip_longest(*places.values())]
    missed: list[str] = []
    for one in (*[[place] for place in alone], *rounds):
        with ExitStack() as stack:
            for row, field in one:
                stack.enter_context(_altered(row, field))
            told = list(map(str, verify(file_contents=True).faults))
        missed += [
            f"{row._meta.model_name} {row.pk}: {field.attname}" for row, field in one if not _in(told, row, field)
        ]

    assert not verify().faults, "the test leaves something behind"
    assert not missed


Place = tuple[models.Model, Any]


def _places(model: type[models.Model]) -> Iterator[Place]:
    rows = list(model._base_manager.order_by("pk")[: 1 if model in RECORDED else ROWS])
    assert rows or model is ErasurePermit, f"the scene makes no {model._meta.model_name}"
    for row in rows:
        for field in model._meta.concrete_fields:
            if not isinstance(REGISTRY[model].columns[field.attname], Unproven):
                yield row, field


def _in(told: list[str], row: models.Model, field: Any) -> bool:
    """Whether the row and the column are named; what another part of verification compares, it names in its own way."""
    if isinstance(REGISTRY[type(row)].columns[field.attname], Elsewhere):
        return bool(told)
    return any(fault.startswith(f"{row._meta.model_name} {row.pk}: {field.attname}: ") for fault in told)


@contextmanager
def _altered(row: models.Model, field: Any) -> Iterator[None]:
    rows, before = models.QuerySet(type(row)), getattr(row, field.attname)
    for after in others(field, before):
        with suppress(IntegrityError), _unguarded(row), transaction.atomic():
            assert rows.filter(pk=row.pk).update(**{field.attname: after}) == 1
            break
    else:
        raise AssertionError(f"no other value fits {row._meta.model_name}.{field.attname}")
    yield
    with _unguarded(row):
        rows.filter(pk=after if field.primary_key else row.pk).update(**{field.attname: before})


@contextmanager
def _unguarded(row: models.Model) -> Iterator[None]:
    if type(row) in RECORDED:
        with past_the_triggers():
            yield
    else:
        with connection.constraint_checks_disabled():
            yield


@pytest.mark.usefixtures("played")
def test_deleted_rows_are_reported() -> None:
    for model in MODELS:
        for row in model._base_manager.order_by("pk")[:ROWS]:
            with _unguarded(row):
                models.QuerySet(model).filter(pk=row.pk)._raw_delete(using="default")
            report = verify(file_contents=True)
            with _unguarded(row):
                models.QuerySet(model).bulk_create([row])

            assert bool(REGISTRY[model].deleted) is report.holds, (model, row.pk)


@pytest.mark.usefixtures("played")
def test_added_rows_are_reported() -> None:
    for model in MODELS:
        row = _added(model)
        report = verify(file_contents=True)
        with _unguarded(row):
            models.QuerySet(model).filter(pk=row.pk)._raw_delete(using="default")

        assert bool(REGISTRY[model].added) is report.holds, model


def _added(model: type[models.Model]) -> models.Model:
    """A copy of the table's first row with another key, and other values where they must be unique."""
    row = ErasurePermit(row_id=uuid7()) if model is ErasurePermit else model._base_manager.order_by("pk")[0]
    together = _together(model)
    for field in model._meta.concrete_fields:
        if field.primary_key and isinstance(field, models.AutoField):
            row.pk = None
        elif field.primary_key or field.unique or field.attname in together:
            taken = set(model._base_manager.values_list(field.attname, flat=True)) if field.unique else set()
            value = next(value for value in others(field, getattr(row, field.attname)) if value not in taken)
            setattr(row, field.attname, value)
    row._state.adding = True
    with _unguarded(row):
        models.QuerySet(model).bulk_create([row])
    return row


def _together(model: type[models.Model]) -> set[str]:
    """The last column of each unique constraint, and of each set of columns."""
    constraints = [one for one in model._meta.total_unique_constraints if one.fields]
    sets = [*(one.fields for one in constraints), *model._meta.unique_together]
    return {model._meta.get_field(names[-1]).attname for names in sets}


def test_a_declared_column_is_compared_somewhere() -> None:
    kinds = (Recorded, Checked, Elsewhere, Unproven)
    assert all(
        isinstance(column, kinds) and column.says for one in REGISTRY.values() for column in one.columns.values()
    )
