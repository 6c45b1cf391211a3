"""Propose which of the host's roles or groups are supervisors, compliance and auditors."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.db import DatabaseError
from django.db.models import Model

from crm_contact_guard.hosting import host_rows
from crm_contact_guard.installation.proposing import host_fields as fields
from crm_contact_guard.installation.proposing import host_roles
from crm_contact_guard.installation.proposing.options import through


def role_options(model: type[Model], doubts: list[str]) -> dict[str, Any]:
    """Return the options that give the rows of ``model`` a role, and add what is uncertain to ``doubts``."""
    role = host_roles.role(model)
    if role:
        doubts.append(
            f"set in EMPLOYEE['ROLES'] which {role} is supervisor, compliance, auditor, employee, or '' for none"
        )
        words = host_roles.role_words(model, role)
        if not words:  # there are no rows yet from which to read role names
            return {"ROLE": role, "ROLES": {"chief": "supervisor"}, "DEFAULT_ROLE": "employee"}
        roles: dict[Any, str] = {word: host_roles.ours(word) for word in words}
        superuser = _superuser(model)
        if "supervisor" not in roles.values() and superuser:
            doubts.append(f"no {role} sounds like a supervisor, so superusers are supervisors")
            return {"ROLE": [superuser, role], "ROLES": {True: "supervisor", False: "", **roles}}
        return {"ROLE": role, "ROLES": roles}
    if "groups" in fields.names(model):
        by_role: dict[str, list[str]] = {}
        for word in _groups_in_use():
            by_role.setdefault(host_roles.ours(word), []).append(word)
        by_role.pop("", None)
        if "supervisor" in by_role:
            doubts.append("set in EMPLOYEE['ROLE_GROUPS'] which groups have which role; users in none have no access")
            return {"ROLE_GROUPS": by_role}
    superuser = _superuser(model)
    if superuser:
        doubts.append(
            "superusers are supervisors, all others are employees: set groups in EMPLOYEE['ROLE_GROUPS'] instead"
        )
        return {"ROLE": superuser, "ROLES": {True: "supervisor", False: "employee"}}
    doubts.append("every user is an employee: set EMPLOYEE['ROLE'] so that there is a supervisor")
    return {}


def _superuser(model: type[Model]) -> str:
    """Return the path to ``is_superuser``, or "" if the host's users don't have that field."""
    user = get_user_model()
    if "is_superuser" not in fields.names(user):
        return ""
    return "is_superuser" if model is user else str(through(fields.person(model))("is_superuser"))


def _groups_in_use() -> list[str]:
    user: Any = get_user_model()
    groups = user._meta.get_field("groups").related_model._default_manager
    try:
        used = groups.filter(pk__in=host_rows.manager(user).filter(groups__isnull=False).values("groups"))
        return [str(getattr(row, "name", row)) for row in used[:20]]
    except DatabaseError:
        return []  # the host's tables do not exist yet
