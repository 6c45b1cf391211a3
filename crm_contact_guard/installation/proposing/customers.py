"""Propose the setting ``CUSTOMER``."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Model

from crm_contact_guard.installation.proposing import host_addresses, host_roles, host_selection
from crm_contact_guard.installation.proposing import host_fields as fields
from crm_contact_guard.installation.proposing.host_models import Found
from crm_contact_guard.installation.proposing.host_teams import told_by_team
from crm_contact_guard.installation.proposing.options import some, tenant_option, through


def customer_setting(found: Found, doubts: list[str]) -> dict[str, Any]:
    """Return the options of ``CUSTOMER``, and add what is uncertain to ``doubts``."""
    model, user = found.customer, get_user_model()
    spec: dict[str, Any] = {"MODEL": model._meta.label}
    if found.key:
        return {**spec, **_senders(found, doubts)}
    spec.update(host_selection.narrowing(model))
    if model is user:
        spec["FILTER"] = _users_served(found, doubts)
    colleagues = host_selection.colleagues(model, found.staff)
    if colleagues:
        spec["FILTER"] = {**spec.get("FILTER", {}), f"{colleagues}__isnull": True}
        doubts.append(f"rows of {model.__name__} that are members of staff ({colleagues}) are excluded by FILTER")
    login = fields.person(model)
    if login and not fields.is_one(model, login) and host_addresses.emails(model) and fields.name(model):
        login = ""  # a row with a name and an address represents a customer, and the user is its owner
    own = fields.link(model, user, fields.OWNERS, but=login) or _by_staff(model, found)
    by_login = through(login)
    spec.update(some("NAME", fields.name(model) or by_login(fields.name(user)) or "__str__"))
    spec.update(some("EMAIL", fields.plain(host_addresses.emails(model) or map(by_login, host_addresses.emails(user)))))
    spec.update(some("PHONE", fields.plain(host_addresses.phones(model) or map(by_login, host_addresses.phones(user)))))
    spec.update(some("OWNER", own))
    spec.update(some("LANGUAGE", fields.language(model)))
    spec.update(some("TIMEZONE", fields.timezone(model)))
    if not own:
        doubts.append(f"{model.__name__} has no relation to the user in charge: set CUSTOMER['OWNER'] if there is one")
    if found.team is not None:
        spec.update(some("TEAM", fields.link(model, found.team, fields.TEAMS)))
    spec.update(tenant_option(model, found.tenant))
    if "TENANT" in spec:
        doubts.append(f"users can't see rows of another {spec['TENANT']}; remove all TENANT options if they may")
    return {option: value for option, value in spec.items() if value}


def _senders(found: Found, doubts: list[str]) -> dict[str, Any]:
    """Return the options for customers without a table of their own, whose addresses are in rows such as tickets."""
    model, prefix = found.customer, found.key.split("_")[0]
    near = [each.name for each in fields.columns(model) if each.name.startswith(f"{prefix}_")]
    doubts.append(f"rows of {model.__name__} with the same {found.key} count as one customer")
    spec = {"KEY": found.key, "NAME": next((each for each in near if each.endswith("name")), found.key)}
    spec["EMAIL"] = found.key
    spec.update(some("PHONE", next((each for each in near if each in host_addresses.phones(model)), "")))
    spec.update(some("OWNER", fields.link(model, get_user_model(), fields.OWNERS)))
    spec.update(some("TEAM", fields.link(model, found.team, fields.TEAMS) if found.team is not None else ""))
    return {**spec, **tenant_option(model, found.tenant)}


def _users_served(found: Found, doubts: list[str]) -> dict[str, Any]:
    user = get_user_model()
    role = host_roles.role(user)
    served = [word for word in host_roles.role_words(user, role) if not host_roles.ours(word)] if role else []
    if served:
        return {role: served[0]} if len(served) == 1 else {f"{role}__in": served}
    team = told_by_team(found)
    if team:
        doubts.append(
            f"customers and staff are both users, distinguished by membership in a team ({team}): check both FILTERs"
        )
        return {f"{team}__isnull": True}
    if "is_staff" in fields.names(user):
        doubts.append("customers and staff are both users, distinguished by is_staff: check both FILTERs")
        return {"is_staff": False}
    doubts.append("customers and staff are both users: set CUSTOMER['FILTER'] and EMPLOYEE['FILTER']")
    return {}


def _by_staff(model: type[Model], found: Found) -> str:
    return fields.link(model, found.staff, fields.OWNERS) if found.staff is not None else ""
