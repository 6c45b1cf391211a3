"""How the host tells customers and staff apart by teams."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.db import DatabaseError

from crm_contact_guard.hosting import host_rows
from crm_contact_guard.installation.proposing import host_fields as fields
from crm_contact_guard.installation.proposing.host_models import Found


def told_by_team(found: Found) -> str:
    """Return the lookup from users to their teams if there are users in teams and none of them is marked as staff.

    Otherwise, return "".
    """
    user = get_user_model()
    path = fields.belonging(user, found.team) if found.team is not None else ""
    if not path:
        return ""
    try:
        users = host_rows.manager(user)
        marked = "is_staff" in fields.names(user) and users.filter(is_staff=True, **{f"{path}__isnull": False}).exists()
        return path if not marked and users.filter(**{f"{path}__isnull": False}).exists() else ""
    except DatabaseError:
        return ""  # the host's tables do not exist yet
