"""Keys between our tables, in hosts that forbid the database's or Django's cascades."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db.models import CASCADE, PROTECT, Field

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.tokens.issuing import token_create
from tests import factories


def keys() -> list[Field]:  # type: ignore[type-arg]
    models = apps.get_app_config("crm_contact_guard").get_models()
    return [field for model in models for field in model._meta.concrete_fields if field.remote_field is not None]


def test_no_key_of_ours_cascades() -> None:
    """A host that turns cascades into refusals would alter our tables' meaning, and report migrations of ours."""
    assert [str(field) for field in keys() if field.remote_field.on_delete is CASCADE] == []
    assert len(keys()) > 20


@pytest.mark.django_db
def test_a_host_that_forbids_cascades_can_delete_its_users(monkeypatch: pytest.MonkeyPatch) -> None:
    clerk = factories.employee("aoi", branch=factories.team(head="sora"))
    factories.conversation(clerk)
    token_create(employee=clerk, name="programs")
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if field.remote_field is not None and field.remote_field.on_delete is CASCADE:
                monkeypatch.setattr(field.remote_field, "on_delete", PROTECT)

    assert clerk.user is not None
    clerk.user.delete()

    kept = Employee.objects.get(pk=clerk.pk)
    assert (kept.user, kept.name, kept.api_tokens.count()) == (None, "Aoi", 1)
