"""Propose the setting ``EMPLOYEE``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Model

from crm_contact_guard.installation.proposing import host_fields as fields
from crm_contact_guard.installation.proposing import host_roles, host_selection
from crm_contact_guard.installation.proposing.host_models import Found, members
from crm_contact_guard.installation.proposing.host_teams import told_by_team
from crm_contact_guard.installation.proposing.options import some, tenant_option, through
from crm_contact_guard.installation.proposing.roles import role_options


def employee_setting(found: Found, doubts: list[str]) -> dict[str, Any]:
    """Return the options of ``EMPLOYEE``, and add what is uncertain to ``doubts``."""
    user = get_user_model()
    spec: dict[str, Any] = {}
    model: type[Model] = user
    if found.staff is not None:
        model, login = found.staff, fields.person(found.staff)
        spec.update(MODEL=model._meta.label, USER=login)
        spec.update(some("NAME", fields.name(model) or through(login)(_user_name())))
        spec.update(tenant_option(model, found.tenant))
    elif found.tenant is not None and found.team is not None and (member := members(found.team)) is not None:
        # Only teams link users to tenants.
        team, person = str(member.m2m_field_name()), str(member.m2m_reverse_field_name())
        membership: Any = member.remote_field.through
        spec.update(MODEL=membership._meta.label, USER=person, NAME=through(person)(_user_name()))
        spec.update({"TEAMS": team} | _within(team, tenant_option(found.team, found.tenant)))
        doubts.append(f"every member of a {found.team.__name__} is an employee: set EMPLOYEE['ROLE'] for supervisors")
        return {option: value for option, value in spec.items() if value}
    else:
        spec.update(some("NAME", _user_name()))
        spec.update(tenant_option(model, found.tenant))
    if model is found.customer is user and not host_roles.role(user):
        team = told_by_team(found)
        if team:
            spec["FILTER"] = {f"{team}__isnull": False}
        elif "is_staff" in fields.names(user):
            spec["FILTER"] = {"is_staff": True}
    spec.update(some("EXCLUDE", host_selection.no_persons(model)))
    if found.team is not None:
        spec.update(some("TEAMS", fields.link(model, found.team, fields.TEAMS) or fields.accessor(model, found.team)))
    spec.update(some("LANGUAGE", fields.language(model)))
    spec.update(some("TIMEZONE", fields.timezone(model)))
    spec.update(role_options(model, doubts))
    return spec


def _user_name() -> Any:
    user = get_user_model()
    return "" if hasattr(user, "get_full_name") else fields.name(user)


def _within(path: str, spec: Mapping[str, str]) -> dict[str, str]:
    return {option: f"{path}.{value}" for option, value in spec.items()}
