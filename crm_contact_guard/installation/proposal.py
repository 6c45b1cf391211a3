"""Settings to begin with, guessed from the host's models. A person reads them before they are used."""

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
from crm_contact_guard.installation.host_models import Found, candidates, look, members
from crm_contact_guard.installation.logins import address_of, leads_somewhere, login_page


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """``block`` is the settings' text; ``others`` are customer models that were not chosen, ``open`` what to decide."""

    block: str
    customer: str
    others: tuple[str, ...] = ()
    open: tuple[str, ...] = field(default=())


def propose(customer: str = "") -> Proposal:
    """Look at the host's models. ``customer`` ("app.Model") overrules the guess.

    Raises ConfigurationError when the named model does not exist.
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
        doubts.append("no model looks like a customer, hence your users: name another one with --customer")
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
        doubts.append(f"LOGIN_URL leads nowhere, hence {login}: name another login if that lets not all of them in")
    if not _has_broker():
        guard["TASKS"] = "inline"
        doubts.append(
            "no Celery broker is configured, hence TASKS inline: let cron run contact_guard_tick each minute and "
            "contact_guard_sync each ten"
        )
    return Proposal(
        block=_block(guard),
        customer=chosen._meta.label,
        others=tuple(model._meta.label for model in ranked if model is not chosen)[:5],
        open=tuple(doubts),
    )


def _named(name: str) -> type[Model]:
    """The only model of this name. Raises LookupError."""
    found = [model for model in apps.get_models() if model.__name__.lower() == name.lower()]
    if len(found) != 1:
        several = ", ".join(model._meta.label for model in found)
        raise LookupError(f"there are {several}" if found else "no model is named so: write app_label.Model")
    return found[0]


def _block(guard: Mapping[str, Any]) -> str:
    """One line a setting."""
    return "\n".join(
        ["CONTACT_GUARD = {", *(f"    {_text(name)}: {_text(value)}," for name, value in guard.items()), "}"]
    )


def _text(value: Any) -> str:
    """As Python, in the quotes that people write."""
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
        doubts.append(f"rows of {model.__name__} that are staff themselves ({colleagues}) are left out by FILTER")
    login = fields.person(model)
    if login and not fields.is_one(model, login) and fields.emails(model) and fields.name(model):
        login = ""  # who has a name and an address of their own is looked after by that user
    own = fields.link(model, user, fields.OWNERS, but=login) or _by_staff(model, found)
    through = _through(login, user)
    spec.update(_some("NAME", fields.name(model) or through(fields.name(user)) or "__str__"))
    spec.update(_some("EMAIL", fields.plain(fields.emails(model) or map(through, fields.emails(user)))))
    spec.update(_some("PHONE", fields.plain(fields.phones(model) or map(through, fields.phones(user)))))
    spec.update(_some("OWNER", own))
    spec.update(_some("LANGUAGE", fields.language(model)))
    spec.update(_some("TIMEZONE", fields.timezone(model)))
    if not own:
        doubts.append(
            f"{model.__name__} names no user who looks after the customer: set CUSTOMER['OWNER'] if there is one"
        )
    if found.team is not None:
        spec.update(_some("TEAM", fields.link(model, found.team, fields.TEAMS)))
    spec.update(_tenant(model, found.tenant))
    if "TENANT" in spec:
        doubts.append(f"nobody sees a row of another {spec['TENANT']}; leave TENANT out everywhere if they may")
    return {option: value for option, value in spec.items() if value}


def _senders(found: Found, doubts: list[str]) -> dict[str, Any]:
    """Customers who have no table: rows of something else name an address."""
    model, said = found.customer, found.key.split("_")[0]
    near = [each.name for each in fields.columns(model) if each.name.startswith(f"{said}_")]
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
            f"customers and staff are both users, told apart by who is in a team ({team}): correct both FILTER"
        )
        return {f"{team}__isnull": True}
    if "is_staff" in fields.names(user):
        doubts.append(
            "customers and staff are both users, told apart by is_staff: correct FILTER of both if that is wrong"
        )
        return {"is_staff": False}
    doubts.append("customers and staff are both users: tell them apart by CUSTOMER['FILTER'] and EMPLOYEE['FILTER']")
    return {}


def _told_by_team(found: Found) -> str:
    """The look-up from users to their teams, in a host that has people in teams and marks none of them as staff."""
    user = get_user_model()
    path = fields.belonging(user, found.team) if found.team is not None else ""
    if not path:
        return ""
    try:
        users = host_rows.manager(user)
        marked = "is_staff" in fields.names(user) and users.filter(is_staff=True, **{f"{path}__isnull": False}).exists()
        return path if not marked and users.filter(**{f"{path}__isnull": False}).exists() else ""
    except DatabaseError:
        return ""  # before the host's own first migrate


def _by_staff(model: type[Model], found: Found) -> str:
    return fields.link(model, found.staff, fields.OWNERS) if found.staff is not None else ""


def _through(relation: str, target: type[Model]) -> Any:
    """Makes a path, or text with paths in braces, begin at a related row."""

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
        # Who works for a tenant is told by its teams alone.
        team, person = str(member.m2m_field_name()), str(member.m2m_reverse_field_name())
        through: Any = member.remote_field.through
        spec.update(MODEL=through._meta.label, USER=person, NAME=_through(person, user)(_user_name()))
        spec.update({"TEAMS": team} | _within(team, _tenant(found.team, found.tenant)))
        doubts.append(
            f"every member of a {found.team.__name__} counts as employee: set EMPLOYEE['ROLE'] for supervisors"
        )
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
            f"say in EMPLOYEE['ROLES'] which {role} is supervisor, compliance, auditor, employee, or '' for none"
        )
        words = fields.role_words(model, role)
        if not words:  # no rows yet to read them from
            return {"ROLE": role, "ROLES": {"chief": "supervisor"}, "DEFAULT_ROLE": "employee"}
        roles: dict[Any, str] = {word: fields.ours(word) for word in words}
        superuser = _superuser(model)
        if "supervisor" not in roles.values() and superuser:
            doubts.append(f"no {role} sounds like a supervisor's, hence superusers count as supervisors")
            return {"ROLE": [superuser, role], "ROLES": {True: "supervisor", False: "", **roles}}
        return {"ROLE": role, "ROLES": roles}
    held = fields.names(model)
    if "groups" in held:
        by_role: dict[str, list[str]] = {}
        for word in _groups_in_use():
            by_role.setdefault(fields.ours(word), []).append(word)
        by_role.pop("", None)
        if "supervisor" in by_role:
            doubts.append("say in EMPLOYEE['ROLE_GROUPS'] which groups have which role; who is in none has no access")
            return {"ROLE_GROUPS": by_role}
    superuser = _superuser(model)
    if superuser:
        doubts.append(
            "superusers count as supervisors, all others as employees: name groups in EMPLOYEE['ROLE_GROUPS'] instead"
        )
        return {"ROLE": superuser, "ROLES": {True: "supervisor", False: "employee"}}
    doubts.append("every user counts as employee: set EMPLOYEE['ROLE'] so that somebody is supervisor")
    return {}


def _superuser(model: type[Model]) -> str:
    """The path to the mark of superusers, where the host's users have it."""
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
        return []  # before the host's own first migrate


# --- teams


def _team(found: Found, doubts: list[str]) -> dict[str, Any]:
    model, user = found.team, get_user_model()
    if model is None:
        doubts.append("no model looks like a team, hence one of everybody: its supervisor is who has that role")
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
        doubts.append(f"{model.__name__} names no supervisor: a member with the role supervisor is taken")
    return {**spec, **_tenant(model, found.tenant)}


def _some(option: str, value: Any) -> Mapping[str, Any]:
    return {option: value} if value else {}


# --- the rest of the host


def _login() -> str:
    """The name of a login page, where Django's own LOGIN_URL leads nowhere and one can be found."""
    try:
        return "" if leads_somewhere(address_of(django_settings.LOGIN_URL)) else login_page()
    except Exception:  # noqa: BLE001 - a host's addresses may need what is not there yet, such as its tables
        return ""


def _has_broker() -> bool:
    return bool(current_app.conf.broker_url or current_app.conf.broker_write_url)
