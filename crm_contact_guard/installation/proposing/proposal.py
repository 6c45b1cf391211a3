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
from crm_contact_guard.installation.addresses import address_of
from crm_contact_guard.installation.logins import leads_somewhere, login_page, refused
from crm_contact_guard.installation.proposing.customers import customer_setting
from crm_contact_guard.installation.proposing.employees import employee_setting
from crm_contact_guard.installation.proposing.host_models import candidates, look
from crm_contact_guard.installation.proposing.teams import team_setting


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
        "CUSTOMER": customer_setting(found, doubts),
        "EMPLOYEE": employee_setting(found, doubts),
        "TEAM": team_setting(found, doubts),
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
