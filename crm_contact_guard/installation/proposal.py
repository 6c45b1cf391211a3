"""Propose initial settings, guessed from the host's models. The settings must be reviewed before use."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from celery import current_app
from django.apps import apps
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.db import DatabaseError
from django.db.models import Model

from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.hosting import host_rows
from crm_contact_guard.installation import host_fields as fields
from crm_contact_guard.installation.addresses import address_of
from crm_contact_guard.installation.host_models import Found, candidates, look, members
from crm_contact_guard.installation.logins import leads_somewhere, login_page, refused


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """Proposed settings. ``block``: Python source. ``others``: other likely customer models. ``open``: open points."""

    block: str
    customer: str
    others: tuple[str, ...] = ()
    open: tuple[str, ...] = field(default=())


def propose(customer: str = "") -> Proposal:
    """Propose settings from the host's models. ``customer`` ("app.Model") overrides the guessed customer model.

    Raises ConfigurationError if that model does not exist.
    """
    ranked = candidates()
    if customer:
        try:
            chosen = apps.get_model(customer) if "." in customer else _named(customer)
        except (LookupError, ValueError) as error:
            raise ConfigurationError(f"{customer!r}: {error}") from error
    else:
        chosen = ranked[0]
    found = look(chosen)
    doubts: list[str] = []
    if not customer and chosen is get_user_model():
        doubts.append("no model looks like a customer, so users are proposed: choose another model with --customer")
    guard: dict[str, Any] = {
        "COMPANY_NAME": "Your company, as customers know it",
        "PUBLIC_URL": "https://crm.example.com",
        "INDUSTRY": "general",
        "SIGNING_KEY": "/etc/contact-guard.key",
        "CUSTOMER": _customer(found, doubts),
        "EMPLOYEE": _employee(found, doubts),
        "TEAM": _team(found, doubts),
    }
    guard["CHANNELS"] = {"chat": {"BACKEND": "crm_contact_guard.channels.webchat.WebChatChannel"}}
    login = _login()
    if login:
        guard["LOGIN_URL"] = login
        people = _users()
        number = refused(address_of(login), people)
        which = f"it would refuse {number} of {len(people)} users" if number else "see that everybody can use it"
        doubts.append(f"LOGIN_URL leads nowhere, so {login} is proposed: {which}")
    if not _has_broker():
        guard["TASKS"] = "inline"
        doubts.append(
            "no Celery broker is configured, so TASKS is inline: run contact_guard_tick every minute and "
            "contact_guard_sync every ten minutes by cron"
        )
    return Proposal(
        block=_block(guard),
        customer=chosen._meta.label,
        others=tuple(model._meta.label for model in ranked if model is not chosen)[:5],
        open=tuple(doubts),
    )


def _named(name: str) -> type[Model]:
    """Return the model with this name. Raise LookupError if there is none or more than one."""
    matches = [model for model in apps.get_models() if model.__name__.lower() == name.lower()]
    if len(matches) != 1:
        labels = ", ".join(model._meta.label for model in matches)
        raise LookupError(f"there are {labels}" if matches else "there is no such model: write app_label.Model")
    return matches[0]


def _block(guard: Mapping[str, Any]) -> str:
    """Return the settings as Python source, one line per setting."""
    return "\n".join(
        ["CONTACT_GUARD = {", *(f"    {_text(name)}: {_text(value)}," for name, value in guard.items()), "}"]
    )


def _text(value: Any) -> str:
    """Return a value as Python source with double quotes."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(name)}: {_text(each)}" for name, each in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_text, value)) + "]"
    return repr(value)


# --- customers


def _customer(found: Found, doubts: list[str]) -> dict[str, Any]:
    model, user = found.customer, get_user_model()
    spec: dict[str, Any] = {"MODEL": model._meta.label}
    if found.key:
        return {**spec, **_senders(found, doubts)}
    spec.update(fields.narrowing(model))
    if model is user:
        spec["FILTER"] = _users_served(found, doubts)
    colleagues = fields.colleagues(model, found.staff)
    if colleagues:
        spec["FILTER"] = {**spec.get("FILTER", {}), f"{colleagues}__isnull": True}
        doubts.append(f"rows of {model.__name__} that are members of staff ({colleagues}) are excluded by FILTER")
    login = fields.person(model)
    if login and not fields.is_one(model, login) and fields.emails(model) and fields.name(model):
        login = ""  # a row with a name and an address represents a customer, and the user is its owner
    own = fields.link(model, user, fields.OWNERS, but=login) or _by_staff(model, found)
    through = _through(login, user)
    spec.update(_some("NAME", fields.name(model) or through(fields.name(user)) or "__str__"))
    spec.update(_some("EMAIL", fields.plain(fields.emails(model) or map(through, fields.emails(user)))))
    spec.update(_some("PHONE", fields.plain(fields.phones(model) or map(through, fields.phones(user)))))
    spec.update(_some("OWNER", own))
    spec.update(_some("LANGUAGE", fields.language(model)))
    spec.update(_some("TIMEZONE", fields.timezone(model)))
    if not own:
        doubts.append(f"{model.__name__} has no relation to the user in charge: set CUSTOMER['OWNER'] if there is one")
    if found.team is not None:
        spec.update(_some("TEAM", fields.link(model, found.team, fields.TEAMS)))
    spec.update(_tenant(model, found.tenant))
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
    spec.update(_some("PHONE", next((each for each in near if each in fields.phones(model)), "")))
    spec.update(_some("OWNER", fields.link(model, get_user_model(), fields.OWNERS)))
    spec.update(_some("TEAM", fields.link(model, found.team, fields.TEAMS) if found.team is not None else ""))
    return {**spec, **_tenant(model, found.tenant)}


def _users_served(found: Found, doubts: list[str]) -> dict[str, Any]:
    user = get_user_model()
    role = fields.role(user)
    served = [word for word in fields.role_words(user, role) if not fields.ours(word)] if role else []
    if served:
        return {role: served[0]} if len(served) == 1 else {f"{role}__in": served}
    team = _told_by_team(found)
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


def _told_by_team(found: Found) -> str:
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


def _by_staff(model: type[Model], found: Found) -> str:
    return fields.link(model, found.staff, fields.OWNERS) if found.staff is not None else ""


def _through(relation: str, target: type[Model]) -> Any:
    """Return a function that prefixes a path with a relation. In text with braces, it prefixes each path in braces."""

    def path(inner: Any) -> Any:
        if not relation or not inner:
            return ""
        if isinstance(inner, str) and "{" in inner:
            return inner.replace("{", f"{{{relation}.")
        return f"{relation}.{inner}"

    return path


def _tenant(model: type[Model], tenant: type[Model] | None) -> dict[str, str]:
    return dict(_some("TENANT", fields.link(model, tenant, (), only_named=False) if tenant is not None else ""))


# --- employees


def _employee(found: Found, doubts: list[str]) -> dict[str, Any]:
    user = get_user_model()
    spec: dict[str, Any] = {}
    model: type[Model] = user
    if found.staff is not None:
        model, login = found.staff, fields.person(found.staff)
        spec.update(MODEL=model._meta.label, USER=login)
        spec.update(_some("NAME", fields.name(model) or _through(login, user)(_user_name())))
        spec.update(_tenant(model, found.tenant))
    elif found.tenant is not None and found.team is not None and (member := members(found.team)) is not None:
        # Only teams link users to tenants.
        team, person = str(member.m2m_field_name()), str(member.m2m_reverse_field_name())
        through: Any = member.remote_field.through
        spec.update(MODEL=through._meta.label, USER=person, NAME=_through(person, user)(_user_name()))
        spec.update({"TEAMS": team} | _within(team, _tenant(found.team, found.tenant)))
        doubts.append(f"every member of a {found.team.__name__} is an employee: set EMPLOYEE['ROLE'] for supervisors")
        return {option: value for option, value in spec.items() if value}
    else:
        spec.update(_some("NAME", _user_name()))
        spec.update(_tenant(model, found.tenant))
    if model is found.customer is user and not fields.role(user):
        team = _told_by_team(found)
        if team:
            spec["FILTER"] = {f"{team}__isnull": False}
        elif "is_staff" in fields.names(user):
            spec["FILTER"] = {"is_staff": True}
    spec.update(_some("EXCLUDE", fields.no_persons(model)))
    if found.team is not None:
        spec.update(_some("TEAMS", fields.link(model, found.team, fields.TEAMS) or fields.accessor(model, found.team)))
    spec.update(_some("LANGUAGE", fields.language(model)))
    spec.update(_some("TIMEZONE", fields.timezone(model)))
    spec.update(_roles(model, doubts))
    return spec


def _user_name() -> Any:
    user = get_user_model()
    return "" if hasattr(user, "get_full_name") else fields.name(user)


def _within(path: str, spec: Mapping[str, str]) -> dict[str, str]:
    return {option: f"{path}.{value}" for option, value in spec.items()}


def _roles(model: type[Model], doubts: list[str]) -> dict[str, Any]:
    role = fields.role(model)
    if role:
        doubts.append(
            f"set in EMPLOYEE['ROLES'] which {role} is supervisor, compliance, auditor, employee, or '' for none"
        )
        words = fields.role_words(model, role)
        if not words:  # there are no rows yet from which to read role names
            return {"ROLE": role, "ROLES": {"chief": "supervisor"}, "DEFAULT_ROLE": "employee"}
        roles: dict[Any, str] = {word: fields.ours(word) for word in words}
        superuser = _superuser(model)
        if "supervisor" not in roles.values() and superuser:
            doubts.append(f"no {role} sounds like a supervisor, so superusers are supervisors")
            return {"ROLE": [superuser, role], "ROLES": {True: "supervisor", False: "", **roles}}
        return {"ROLE": role, "ROLES": roles}
    if "groups" in fields.names(model):
        by_role: dict[str, list[str]] = {}
        for word in _groups_in_use():
            by_role.setdefault(fields.ours(word), []).append(word)
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
    return "is_superuser" if model is user else str(_through(fields.person(model), user)("is_superuser"))


def _groups_in_use() -> list[str]:
    user: Any = get_user_model()
    groups = user._meta.get_field("groups").related_model._default_manager
    try:
        used = groups.filter(pk__in=host_rows.manager(user).filter(groups__isnull=False).values("groups"))
        return [str(getattr(row, "name", row)) for row in used[:20]]
    except DatabaseError:
        return []  # the host's tables do not exist yet


# --- teams


def _team(found: Found, doubts: list[str]) -> dict[str, Any]:
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
    spec.update(_some("SUPERVISOR", chief))
    deputy = next(filter(None, (fields.link(model, each, fields.DEPUTIES, only_named=True) for each in people)), "")
    spec.update(_some("DEPUTY", deputy))
    if not chief:
        doubts.append(f"{model.__name__} has no supervisor field: a member with the role supervisor is used")
    return {**spec, **_tenant(model, found.tenant)}


def _some(option: str, value: Any) -> Mapping[str, Any]:
    return {option: value} if value else {}


# --- the rest of the host


def _login() -> str:
    """Return the URL name of a login page if Django's LOGIN_URL is invalid and a login page can be found, else ""."""
    try:
        return "" if leads_somewhere(address_of(django_settings.LOGIN_URL)) else login_page(_users())
    except Exception:  # noqa: BLE001 - a host's URLs may fail at this point, for example without tables
        return ""


def _users() -> list[Any]:
    """Return up to 1,000 of the host's users, newest first; none if its tables don't exist yet."""
    try:
        return list(host_rows.manager(get_user_model()).order_by("-pk")[:1000])
    except DatabaseError:
        return []


def _has_broker() -> bool:
    return bool(current_app.conf.broker_url or current_app.conf.broker_write_url)
