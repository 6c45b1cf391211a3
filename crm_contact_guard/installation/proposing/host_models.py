"""Guess which of a host's models are customers, employees, teams and tenants."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db.models import EmailField, ForeignKey, ManyToManyField, Model

from crm_contact_guard.installation.proposing import host_addresses, host_roles
from crm_contact_guard.installation.proposing import host_fields as fields

#: Prefixes of the names of third-party apps, whose models are ignored.
_FOREIGN = (
    "django.contrib.", "crm_contact_guard", "rest_framework", "django_celery", "allauth", "social_django",
    "oauth2_provider", "axes", "reversion", "auditlog", "simple_history", "guardian", "taggit", "django_otp",
    "two_factor", "oidc_provider", "silk", "knox",
)  # fmt: skip
_TENANTS = ("tenant", "org", "organization", "organisation", "organizer", "workspace", "entity", "merchant", "practice")
_STAFF = ("employee", "staff", "agent", "operator", "practitioner", "therapist", "stylist", "doctor", "worker")
#: Names of models for people in general. These models count as staff if they have a role or a tenant.
_ANYBODY = ("profile", "member", "membership", "management", "userrole", "user")
#: Names of models for activities of staff, which don't count as staff.
_DEEDS = {
    "session", "log", "token", "history", "event", "request", "device", "notification", "message", "permission",
    "setting", "preference", "audit", "invitation", "invite", "key", "code", "attempt", "schedule", "shift", "leave",
    "attendance", "note", "comment", "document", "rate", "review", "action", "activity",
}  # fmt: skip
#: Names of models for memberships and kinds of teams, which don't count as teams.
_NO_TEAMS = {"association", "assignment", "member", "membership", "relation", "role", "type", "category"}
#: Names of relations to the user model which suggest that users are customers.
_SERVED = {"customer", "client", "buyer", "patient", "guest", "purchaser", "student", "resident"}
#: Prefixes of fields that describe the customer in models such as tickets: ``submitter_email``.
_SENDERS = (
    "submitter", "requester", "reporter", "sender", "customer", "client", "guest", "contact", "visitor", "buyer",
    "booker", "patient", "from",
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """The host's models. ``key``: the field that identifies customers if ``customer`` is a model such as a ticket."""

    customer: type[Model]
    key: str = ""
    team: type[Model] | None = None
    tenant: type[Model] | None = None
    staff: type[Model] | None = None


def look(customer: type[Model]) -> Found:
    """Return a customer model together with the team, tenant and staff models found for it."""
    tenant = _tenant(customer)
    staff = _staff(customer, tenant)
    return Found(customer, sender(customer), _team(customer, staff), tenant, staff)


def own_models() -> Iterable[type[Model]]:
    for model in apps.get_models():
        config = apps.get_app_config(model._meta.app_label)
        if not config.name.startswith(_FOREIGN) and not model._meta.proxy:
            yield model


def candidates() -> list[type[Model]]:
    """Return the models that may represent customers, the most likely first."""
    user = get_user_model()
    scored = [(_likeness(model), model) for model in own_models() if model is not user]
    scored.append((_users_served(), user))
    return [model for score, model in sorted(scored, key=lambda pair: -pair[0]) if score > 0]


def _likeness(model: type[Model]) -> float:
    """Return how likely it is that a model represents customers, by its name and addresses. 0 means that it doesn't."""
    words = fields.words_of(model)
    word = next((index for index, each in enumerate(fields.CUSTOMERS) if words in ([each], [each, "model"])), None)
    within = next((index for index, each in enumerate(fields.CUSTOMERS) if each in words), None)
    reach = len(host_addresses.emails(model)) + len(host_addresses.phones(model)) + bool(fields.person(model))
    if reach and (word is not None or within is not None):
        named = 20.0 - word if word is not None else 5.0 - (within or 0) / len(fields.CUSTOMERS)
        person = 2.0 if {"first_name", "last_name", "full_name"} & fields.names(model) else 0.0
        return named + person + min(reach, 3) / 3
    return 4.0 if sender(model) else 0.0


def _users_served() -> float:
    """Return how likely it is that the host's users are its customers, by the names of relations to them."""
    user = get_user_model()
    pointing = [each.name for model in own_models() for each in fields.links(model) if fields.leads_to(each, user)]
    return 10.0 if _SERVED & set(pointing) else 2.0


def sender(model: type[Model]) -> str:
    """Return the field with the sender's email address in a model such as a ticket or booking.

    Return "" if the model represents customers or has a relation to them.
    """
    if any(each in fields.CUSTOMERS for each in fields.words_of(model)) or fields.person(model):
        return ""
    if any(each.name in _SERVED for each in fields.links(model)):
        return ""
    texts = [
        each.name for each in fields.columns(model) if isinstance(each, EmailField) or each.name.endswith("_email")
    ]
    return next((name for word in _SENDERS for name in texts if name.startswith(f"{word}_")), "")


def _tenant(customer: type[Model]) -> type[Model] | None:
    """Return the tenant model that the customer model has a foreign key to."""
    for each in fields.links(customer):
        if isinstance(each, ForeignKey) and set(fields.words_of(each.related_model)) & set(_TENANTS):
            return each.related_model
    return None


def _staff(customer: type[Model], tenant: type[Model] | None) -> type[Model] | None:
    """Return the model that has a row for each employee, with a relation to the user."""
    user = get_user_model()
    best: tuple[float, type[Model]] | None = None
    for model in own_models():
        if model in (user, customer, tenant) or not fields.person(model):
            continue
        words = fields.words_of(model)
        if _DEEDS & set(words):
            continue
        score = next((10.0 - index for index, each in enumerate(_STAFF) if each in words), 0.0)
        evidence = bool(host_roles.role(model)) + 2 * (tenant is not None and _points(model, tenant))
        if score or (evidence and any(each in words for each in _ANYBODY)):
            score += evidence
            best = (score, model) if best is None or score > best[0] else best
    return best[1] if best is not None else None


def _team(customer: type[Model], staff: type[Model] | None) -> type[Model] | None:
    # Prefer a model that the user, customer or staff model refers to over one that refers to users or staff.
    user = get_user_model()
    sources = [user, customer, *([staff] if staff is not None else [])]
    linked = [each.related_model for source in sources for each in fields.links(source)]
    named = [
        model
        for model, words in ((model, set(fields.words_of(model))) for model in own_models() if model is not customer)
        if words & set(fields.TEAMS) and not words & (_NO_TEAMS | _DEEDS)
    ]
    for model in named:
        if model in linked or any(issubclass(model, each) for each in linked if isinstance(each, type)):
            return model
    people = [user, *([staff] if staff is not None else [])]
    return next((model for model in named if any(_points(model, each) for each in people)), None)


def members(team: type[Model]) -> ManyToManyField[Any, Any] | None:
    """Return the many-to-many field from a team to its members, if there is one."""
    user = get_user_model()
    return next(
        (each for each in team._meta.many_to_many if fields.leads_to(each, user)),
        None,
    )


def _points(model: type[Model], target: type[Model]) -> bool:
    return any(fields.leads_to(each, target) for each in fields.links(model))


__all__ = ["Found", "candidates", "look", "members", "own_models", "sender"]
