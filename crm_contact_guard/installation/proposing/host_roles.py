"""Guess which field of a host's model contains a person's role, and which of our roles its values mean."""

from __future__ import annotations

from typing import Any

from django.db import DatabaseError
from django.db.models import Model

from crm_contact_guard.hosting import host_rows
from crm_contact_guard.installation.proposing.host_fields import CUSTOMERS, names

_ROLES = ("role", "roles", "job", "position", "duty", "user_type", "job_title", "permission_level", "rank")
#: Maximum number of role names read from the host's rows.
_WORDS = 20


def role(model: type[Model]) -> str:
    """Return the field that contains a person's role."""
    return next((each for each in _ROLES if each in names(model)), "")


def role_words(model: type[Model], name: str) -> list[str]:
    """Return the host's role names: the field's choices, the rows of the related table, or the column's values."""
    field: Any = model._meta.get_field(name)
    choices = [str(value) for value, _label in getattr(field, "flatchoices", ()) if value not in (None, "")]
    if choices:
        return choices
    try:
        if isinstance(field.related_model, type):
            table: Any = field.related_model
            return [str(row) for row in table._default_manager.all()[:_WORDS]]
        values = host_rows.manager(model).order_by(name).values_list(name, flat=True).distinct()[:_WORDS]
        return [str(word) for word in values if word not in (None, "")]
    except DatabaseError:
        return []  # the host's tables don't exist yet


#: Parts of the names of roles for which no access is proposed, such as those of suspended users, visitors or robots.
_NOBODYS_ROLES = ("suspend", "disabled", "inactive", "blocked", "anonym", "public", "visitor", "nobody", "robot")


def ours(word: str) -> str:
    """Return our role that corresponds to a host's role name; "" for customers and others without access."""
    lower = word.lower()
    if any(each in lower for each in (*CUSTOMERS[:5], *_NOBODYS_ROLES)):
        return ""
    if any(each in lower for each in ("complian", "legal", "risk")):
        return "compliance"
    if "audit" in lower:
        return "auditor"
    if any(each in lower for each in ("manager", "supervis", "chief", "head", "lead", "admin")):
        return "supervisor"
    return "employee"
