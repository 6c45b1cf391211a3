"""Guess the purpose of a host model's fields, such as name, team or owner, by their names and types."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.db.models import Field, ForeignKey, Model, OneToOneField

#: Names of customer models in CRMs, the most specific first.
CUSTOMERS = (
    "customer", "client", "guest", "patient", "resident", "contact", "member", "person", "buyer", "tenant", "student",
    "lead", "account", "company",
)  # fmt: skip
OWNERS = ("owner", "manager", "assigned_to", "assignee", "agent", "responsible", "employee", "staff", "user")
CHIEFS = ("supervisor", "head", "manager", "leader", "lead", "chief", "owner")
DEPUTIES = ("deputy", "deputy_head", "vice", "assistant_manager", "substitute")
TEAMS = ("team", "department", "branch", "store", "shop", "ward", "unit", "office", "group", "salon", "queue")
_WHOLE_NAMES = ("full_name", "fullname", "display_name", "name")
_TITLES = (*_WHOLE_NAMES, "title")
_PARTS = (
    ("first_name", "last_name"),
    ("given_name", "family_name"),
    ("given_name", "surname"),
    ("forename", "surname"),
    ("firstname", "lastname"),
)
#: Languages in which the family name comes first.
_FAMILY_FIRST = ("ja", "zh", "ko", "hu", "vi")


def names(model: type[Model]) -> set[str]:
    return {each.name for each in model._meta.get_fields()}


def words_of(model: type[Model]) -> list[str]:
    """Return the lower-case words of a model's name without a final s: ``SalesTeams`` → sale, team."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", model.__name__)
    return [word.lower().removesuffix("s") if len(word) > 3 else word.lower() for word in words]


def columns(model: type[Model]) -> list[Field[Any, Any]]:
    return [each for each in model._meta.get_fields() if isinstance(each, Field) and each.related_model is None]


def links(model: type[Model]) -> list[Any]:
    """Return the model's forward relations, excluding reverse and generic ones."""
    return [
        each
        for each in model._meta.get_fields()
        if not (each.auto_created or each.one_to_many) and isinstance(each.related_model, type)
    ]


def leads_to(field: Any, target: type[Model]) -> bool:
    return isinstance(field.related_model, type) and issubclass(target, field.related_model)


def link(
    model: type[Model], target: type[Model], words: tuple[str, ...], *, only_named: bool = False, but: str = ""
) -> str:
    """Return the relation from a model to a target whose name fits ``words`` best. ``but``: a relation to ignore."""
    candidates = [
        each.name
        for each in links(model)
        if leads_to(each, target)
        and each.name != but
        and not each.name.startswith("is_")
        and (isinstance(each, ForeignKey) or not only_named)
    ]
    ranked = [name for word in words for name in candidates if word in name.lower()]
    auditing = ("modif", "creat", "updat", "delet", "changed")
    rest = [] if only_named else [name for name in candidates if not any(word in name for word in auditing)]
    return next(iter([*ranked, *rest]), "")


def accessor(model: type[Model], source: type[Model]) -> str:
    """Return the reverse accessor for rows of ``source``, such as ``teams`` for users in ``Team.members``."""
    relation = _pointing(model, source)
    return str(relation.get_accessor_name()) if relation is not None else ""


def belonging(model: type[Model], target: type[Model]) -> str:
    """Return the lookup from a row to the ``target`` that it belongs to, by a forward or reverse relation."""
    relation = _pointing(model, target)
    backwards = str(relation.field.related_query_name()) if relation is not None else ""
    return link(model, target, TEAMS) or backwards


def _pointing(model: type[Model], source: type[Model]) -> Any:
    for relation in model._meta.related_objects:
        if relation.related_model is source and relation.get_accessor_name():
            named = str(relation.field.name).lower()
            if not any(word in named for word in (*CHIEFS, *DEPUTIES, "creat", "modif", "updat")):
                return relation
    return None


def person(model: type[Model]) -> str:
    """Return the relation to the user that the row itself represents, if customers or employees have a login."""
    user = get_user_model()
    if model is user:
        return ""
    for each in links(model):
        if leads_to(each, user) and isinstance(each, OneToOneField) and not each.remote_field.parent_link:
            return str(each.name)
    alone = [each.name for each in links(model) if leads_to(each, user) and isinstance(each, ForeignKey)]
    return next((name for name in ("user", "user_model", "account") if name in alone), "")


def is_one(model: type[Model], name: str) -> bool:
    """Whether the relation is one-to-one."""
    return isinstance(model._meta.get_field(name), OneToOneField)


def name(model: type[Model]) -> str | list[str]:
    """Return the path to a person's name, preferably a column, so that the database can search it."""
    column_names = {each.name for each in columns(model)}
    whole = next((each for each in _WHOLE_NAMES if each in column_names), "")
    if whole:
        return whole
    for given, family in _PARTS:
        if given in column_names and family in column_names:
            language = django_settings.LANGUAGE_CODE.split("-", maxsplit=1)[0]
            order = (family, given) if language in _FAMILY_FIRST else (given, family)
            return " ".join(f"{{{each}}}" for each in order)
    parts = {*CUSTOMERS, "full"}
    named = [each for each in sorted(column_names) if each.endswith("_name") and set(each.split("_")) & parts]
    method = next((each for each in (*_WHOLE_NAMES, "get_full_name") if hasattr(model, each)), "")
    return next(iter(named), method)


def title(model: type[Model]) -> str:
    """Return the path to the name of a team or an organisation."""
    return next((each for each in _TITLES if each in names(model) or hasattr(model, each)), "")


def language(model: type[Model]) -> str:
    return _column(model, ("language", "language_code", "preferred_language", "locale", "lang"))


def timezone(model: type[Model]) -> str:
    return _column(model, ("timezone", "time_zone", "tz"))


def _column(model: type[Model], candidates: tuple[str, ...]) -> str:
    column_names = {each.name for each in columns(model)}
    return next((each for each in candidates if each in column_names), "")


def plain(values: Iterable[str]) -> str | list[str]:
    several = list(values)
    return several[0] if len(several) == 1 else several
