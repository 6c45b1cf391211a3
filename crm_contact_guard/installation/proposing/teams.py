"""Propose the setting ``TEAM``."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model

from crm_contact_guard.installation.proposing import host_fields as fields
from crm_contact_guard.installation.proposing.host_models import Found
from crm_contact_guard.installation.proposing.options import some, tenant_option


def team_setting(found: Found, doubts: list[str]) -> dict[str, Any]:
    """Return the options of ``TEAM``, and add what is uncertain to ``doubts``."""
    model, user = found.team, get_user_model()
    if model is None:
        doubts.append("no model looks like a team, so there is one team for everybody, led by the supervisor")
        return {"EVERYBODY": "Everybody"}
    spec: dict[str, Any] = {"MODEL": model._meta.label}
    name = fields.title(model)
    if name and name != "name":
        spec["NAME"] = name
    people = [user, *([found.staff] if found.staff is not None else [])]
    chief = next(filter(None, (fields.link(model, each, fields.CHIEFS, only_named=True) for each in people)), "")
    spec.update(some("SUPERVISOR", chief))
    deputy = next(filter(None, (fields.link(model, each, fields.DEPUTIES, only_named=True) for each in people)), "")
    spec.update(some("DEPUTY", deputy))
    if not chief:
        doubts.append(f"{model.__name__} has no supervisor field: a member with the role supervisor is used")
    return {**spec, **tenant_option(model, found.tenant)}
