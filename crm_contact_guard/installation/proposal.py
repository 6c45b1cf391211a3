"""Settings to begin with, guessed from the host's models. A person reads them before they are used."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from celery import current_app
from django.apps import apps
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.db.models import EmailField, Field, ForeignKey, Model
from django.urls import URLPattern, URLResolver, get_resolver

from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.installation.pages import leads_somewhere

#: What CRMs call the people they serve, the most telling first.
_CUSTOMERS = (
    "customer", "client", "guest", "patient", "resident", "contact", "member", "person", "buyer", "tenant", "student",
    "lead", "account", "company",
)  # fmt: skip
_TEAMS = ("team", "department", "branch", "store", "shop", "ward", "unit", "office", "group")
_NAMES = ("full_name", "display_name", "name", "get_full_name", "title")
_MAILS = ("email", "e_mail", "mail")
_PHONES = ("phone", "mobile", "cell", "telephone", "tel")
_OWNERS = ("owner", "manager", "assigned_to", "assignee", "agent", "responsible", "employee", "staff", "user")
_CHIEFS = ("supervisor", "head", "manager", "leader", "lead", "chief", "owner")
_DEPUTIES = ("deputy", "deputy_head", "vice", "assistant_manager", "substitute")
_ROLES = ("role", "job", "position", "user_type")
#: Apps that are never a company's own.
_FOREIGN = ("django.contrib.", "crm_contact_guard", "rest_framework", "django_celery", "allauth", "social_django")


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """``block`` is the settings' text; ``others`` are customer models that were not chosen, ``open`` what to decide."""

    block: str
    customer: str
    others: tuple[str, ...] = ()
    open: tuple[str, ...] = field(default=())


def propose(customer: str = "") -> Proposal:
    """Look at the host's models. ``customer`` ("app.Model") overrules the guess.

    Raises ConfigurationError when the named model does not exist, or none looks like a customer.
    """
    ranked = _candidates()
    if customer:
        try:
            chosen = apps.get_model(customer)
        except (LookupError, ValueError) as error:
            raise ConfigurationError(f"{customer!r}: {error}") from error
    elif ranked:
        chosen = ranked[0]
    else:
        raise ConfigurationError(
            "No model looks like a customer (a name with an e-mail or phone): name it with --customer"
        )
    team = _team_model(chosen)
    doubts: list[str] = []
    guard: dict[str, Any] = {
        "COMPANY_NAME": "Your company, as customers know it",
        "PUBLIC_URL": "https://crm.example.com",
        "INDUSTRY": "general",
        "SIGNING_KEY": "/etc/contact-guard.key",
        "CUSTOMER": _customer(chosen, team, doubts),
        "EMPLOYEE": _employee(team, doubts),
    }
    if team is not None:
        guard["TEAM"] = _team(team, doubts)
    else:
        doubts.append("no model looks like a team: alerts will go to whoever has the role compliance")
    guard["CHANNELS"] = {"chat": {"BACKEND": "crm_contact_guard.channels.webchat.WebChatChannel"}}
    login = _login()
    if login:
        guard["LOGIN_URL"] = login
    if not _has_broker():
        guard["TASKS"] = "inline"
        doubts.append("no Celery broker is configured, hence TASKS inline: run contact_guard_tick each minute by cron")
    return Proposal(
        block=_block(guard),
        customer=chosen._meta.label,
        others=tuple(model._meta.label for model in ranked if model is not chosen)[:5],
        open=tuple(doubts),
    )


def _block(guard: Mapping[str, Any]) -> str:
    """One line a setting. Texts, lists and dicts of them read the same in JSON and Python."""
    lines = [f"    {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}," for name, value in guard.items()]
    return "\n".join(["CONTACT_GUARD = {", *lines, "}"])


# --- which model


def _own_models() -> Iterable[type[Model]]:
    for model in apps.get_models():
        config = apps.get_app_config(model._meta.app_label)
        if not config.name.startswith(_FOREIGN):
            yield model


def _candidates() -> list[type[Model]]:
    user = get_user_model()
    scored = [(_likeness(model), model) for model in _own_models() if model is not user]
    found = [(score, model) for score, model in scored if score > 0]
    return [model for _score, model in sorted(found, key=lambda pair: -pair[0])]


def _likeness(model: type[Model]) -> float:
    """How much a model looks like a customer: by its name, and by being reachable. 0: not at all."""
    reach = len(_emails(model)) + len(_phones(model))
    name = model.__name__.lower()
    word = next((index for index, each in enumerate(_CUSTOMERS) if each == name), None)
    within = next((index for index, each in enumerate(_CUSTOMERS) if each in name), None)
    if not reach or (word is None and within is None):
        return 0.0
    told = 20.0 - word if word is not None else 5.0 - (within or 0) / len(_CUSTOMERS)
    person = 2.0 if {"first_name", "last_name", "full_name"} & _field_names(model) else 0.0
    return told + person + min(reach, 3) / 3


def _team_model(customer: type[Model]) -> type[Model] | None:
    user = get_user_model()
    # What the user belongs to, or the customer does, comes before a model that is only named like a team.
    linked = [each.related_model for each in (*_links(user), *_links(customer))]
    named = [model for model in _own_models() if any(word in model.__name__.lower() for word in _TEAMS)]
    for model in named:
        if model in linked or any(issubclass(model, each) for each in linked if isinstance(each, type)):
            return model
    return named[0] if named and any(_links_to(model, user) for model in named[:1]) else None


# --- what to say of it


def _customer(model: type[Model], team: type[Model] | None, doubts: list[str]) -> dict[str, Any]:
    spec: dict[str, Any] = {"MODEL": model._meta.label}
    spec.update(_some("NAME", _named(model, _NAMES) or _parts_of_a_name(model)))
    spec.update(_some("EMAIL", _plain(_emails(model))))
    spec.update(_some("PHONE", _plain(_phones(model))))
    owner = _link(model, get_user_model(), _OWNERS)
    spec.update(_some("OWNER", owner))
    if not owner:
        doubts.append(
            f"{model.__name__} names no user who looks after the customer: set CUSTOMER['OWNER'] if there is one"
        )
    if team is not None:
        spec.update(_some("TEAM", _link(model, team, _TEAMS)))
    return spec


def _employee(team: type[Model] | None, doubts: list[str]) -> dict[str, Any]:
    user = get_user_model()
    spec: dict[str, Any] = {}
    if not hasattr(user, "get_full_name"):
        spec.update(_some("NAME", _named(user, _NAMES)))
    mail = getattr(user, "EMAIL_FIELD", "email")
    if mail != "email":
        spec["EMAIL"] = mail
    if team is not None:
        spec.update(_some("TEAMS", _link(user, team, _TEAMS)))
    role = next((name for name in _ROLES if name in _field_names(user)), "")
    if role:
        spec["ROLE"] = role
        choices = getattr(user._meta.get_field(role), "choices", None) or ()
        spec["ROLES"] = {str(value): _role(str(value)) for value, _label in choices} or {"chief": "supervisor"}
        doubts.append(
            f"say in EMPLOYEE['ROLES'] which {role} is supervisor, compliance, auditor, employee, or '' for none"
        )
    elif "groups" in _field_names(user):
        spec["ROLE_GROUPS"] = {"supervisor": ["supervisors"], "employee": ["staff"], "compliance": ["compliance"]}
        doubts.append("say in EMPLOYEE['ROLE_GROUPS'] which groups have which role; who is in none has no access")
    else:
        doubts.append("every user counts as employee: set EMPLOYEE['ROLE'] so that somebody is supervisor")
    return spec


def _role(word: str) -> str:
    lower = word.lower()
    if any(each in lower for each in ("complian", "legal", "risk")):
        return "compliance"
    if "audit" in lower:
        return "auditor"
    if any(each in lower for each in ("manager", "supervis", "chief", "head", "lead", "admin")):
        return "supervisor"
    return "employee"


def _team(model: type[Model], doubts: list[str]) -> dict[str, Any]:
    user = get_user_model()
    spec: dict[str, Any] = {"MODEL": model._meta.label}
    name = _named(model, _NAMES)
    if name and name != "name":
        spec["NAME"] = name
    chief = _link(model, user, _CHIEFS, only_named=True)
    spec.update(_some("SUPERVISOR", chief))
    spec.update(_some("DEPUTY", _link(model, user, _DEPUTIES, only_named=True)))
    if not chief:
        doubts.append(f"{model.__name__} names no supervisor: a member with the role supervisor is taken")
    return spec


# --- fields


def _field_names(model: type[Model]) -> set[str]:
    return {each.name for each in model._meta.get_fields()}


def _fields(model: type[Model]) -> list[Field[Any, Any]]:
    return [each for each in model._meta.get_fields() if isinstance(each, Field) and each.related_model is None]


def _emails(model: type[Model]) -> list[str]:
    texts = [each for each in _fields(model) if each.get_internal_type() in ("CharField", "TextField", "EmailField")]
    named = [each for each in texts if isinstance(each, EmailField) or any(word in each.name for word in _MAILS)]
    return [each.name for each in sorted(named, key=lambda each: each.name not in _MAILS)] or _rows(model, _MAILS)


def _phones(model: type[Model]) -> list[str]:
    texts = [each.name for each in _fields(model) if "Boolean" not in each.get_internal_type()]
    found = [name for name in texts if any(word in name.lower().split("_") or name == word for word in _PHONES)]
    return sorted(found, key=lambda name: name not in _PHONES) or _rows(model, _PHONES)


def _rows(model: type[Model], words: tuple[str, ...]) -> list[str]:
    """Paths over related rows (``phones.number``) that hold what is sought."""
    found: list[str] = []
    for relation in model._meta.related_objects:
        name, related = relation.get_accessor_name(), relation.related_model
        if name is None or not any(word in related.__name__.lower() for word in words):
            continue
        inner = [
            each.name
            for each in _fields(related)
            if any(word in each.name for word in (*words, "number", "value", "address"))
        ]
        found.extend(f"{name}.{each}" for each in inner[:1])
    return found


def _named(model: type[Model], names: tuple[str, ...]) -> str:
    return next((name for name in names if name in _field_names(model) or hasattr(model, name)), "")


def _parts_of_a_name(model: type[Model]) -> str:
    # Without a whole name, what the host itself shows of a row is better than half of it.
    return "__str__" if {"first_name", "last_name"} & _field_names(model) else ""


def _links(model: type[Model]) -> list[Any]:
    return [each for each in model._meta.get_fields() if not each.auto_created and each.related_model is not None]


def _links_to(model: type[Model], target: type[Model]) -> bool:
    return any(
        isinstance(each.related_model, type) and issubclass(target, each.related_model) for each in _links(model)
    )


def _link(model: type[Model], target: type[Model], names: tuple[str, ...], *, only_named: bool = False) -> str:
    """The relation from a model to a target, the best-named first."""
    found = [
        each.name
        for each in _links(model)
        if isinstance(each.related_model, type)
        and issubclass(target, each.related_model)
        and (isinstance(each, ForeignKey) or not only_named)
    ]
    ranked = [name for word in names for name in found if word in name.lower()]
    rest = (
        [] if only_named else [name for name in found if not any(word in name for word in ("modif", "creat", "updat"))]
    )
    return next(iter([*ranked, *rest]), "")


def _plain(names: list[str]) -> str | list[str]:
    return names[0] if len(names) == 1 else names


def _some(option: str, value: Any) -> Mapping[str, Any]:
    return {option: value} if value else {}


# --- the rest of the host


def _login() -> str:
    """The path of a login page, where Django's own LOGIN_URL leads nowhere and one can be found."""
    if leads_somewhere(str(django_settings.LOGIN_URL)):
        return ""
    return next((name for name in _url_names(get_resolver().url_patterns) if name.split(":")[-1] == "login"), "")


def _url_names(patterns: Iterable[URLPattern | URLResolver], space: str = "") -> Iterable[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from _url_names(pattern.url_patterns, inner)
        elif isinstance(pattern.name, str):
            yield f"{space}{pattern.name}"


def _has_broker() -> bool:
    return bool(current_app.conf.broker_url or current_app.conf.broker_write_url)
