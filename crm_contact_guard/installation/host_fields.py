"""Guess the purpose of a host model's fields, such as name, addresses or owner, by their names and types."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.db import DatabaseError
from django.db.models import BooleanField, CharField, EmailField, Field, ForeignKey, Model, OneToOneField

from crm_contact_guard.hosting import host_rows

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
_MAILS = ("email", "e_mail", "mail")
_PHONES = ("phone", "mobile", "cell", "telephone", "tel", "phone_number", "gsm", "cellphone", "handy", "keitai")
#: Words in the names of fields that describe an address but don't contain one.
_ABOUT = {
    "verified", "confirmed", "confirmation", "code", "ext", "extension", "country", "type", "e164", "normalized", "fax",
    "hash", "token", "count", "subject", "template", "host", "password", "label", "prefix",
}  # fmt: skip
_ROLES = ("role", "roles", "job", "position", "duty", "user_type", "job_title", "permission_level", "rank")
_GONE = ("is_deleted", "deleted", "is_archived", "archived", "is_removed", "is_trashed", "is_test")
#: Boolean columns that mark users who aren't people.
_NOBODY = (
    "is_team",
    "is_group",
    "is_bot",
    "is_robot",
    "is_system",
    "is_system_user",
    "is_service_account",
    "is_virtual",
)
#: Words in the names of models that hold additional data about a person.
_PROFILES = {"profile", "detail", "info", "information", "data", "extra", "record"}
#: Maximum number of role names read from the host's rows.
_WORDS = 20


def names(model: type[Model]) -> set[str]:
    return {each.name for each in model._meta.get_fields()}


def words_of(model: type[Model]) -> list[str]:
    """Return the lower-case words of a model's name without a final s: ``SalesTeams`` → sale, team."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", model.__name__)
    return [word.lower().removesuffix("s") if len(word) > 3 else word.lower() for word in words]


def columns(model: type[Model]) -> list[Field[Any, Any]]:
    return [each for each in model._meta.get_fields() if isinstance(each, Field) and each.related_model is None]


# --- links


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


# --- values


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


def emails(model: type[Model]) -> list[str]:
    return _mail_columns(model) or _rows(model, _mail_columns, ("mail", "contact"))


def phones(model: type[Model]) -> list[str]:
    return _phone_columns(model) or _rows(model, _phone_columns, ("phone", "contact", "addres"))


def _mail_columns(model: type[Model]) -> list[str]:
    texts = [each for each in columns(model) if isinstance(each, CharField) or each.get_internal_type() == "TextField"]
    named = [each for each in texts if isinstance(each, EmailField) or _is(each.name, _MAILS)]
    addresses = [each.name for each in named if not _ABOUT & set(each.name.lower().split("_"))]
    return sorted(addresses, key=lambda each: each not in _MAILS)


def _phone_columns(model: type[Model]) -> list[str]:
    texts = [each.name for each in columns(model) if not isinstance(each, BooleanField)]
    phones = [each for each in texts if _is(each, _PHONES) and not _ABOUT & set(each.lower().split("_"))]
    return sorted(phones, key=lambda each: each not in _PHONES)


def _is(name: str, words: tuple[str, ...]) -> bool:
    parts = name.lower().split("_")
    return any(word in parts or f"{word}s" in parts or name.lower() == word for word in words)


def _rows(model: type[Model], search: Callable[[type[Model]], list[str]], words: tuple[str, ...]) -> list[str]:
    """Return paths to addresses in related rows, such as ``phones.number``.

    Only one relation is followed, since related rows may refer back. Models with several rows per customer must be
    named like an address. For a profile, address columns are sufficient.
    """
    paths: list[str] = []
    profiles = {each.get_accessor_name() for each in model._meta.related_objects if _is_profile(each)}
    related: list[tuple[Any, Any]] = [
        *((each.get_accessor_name(), each.related_model) for each in model._meta.related_objects),
        *((each.name, each.related_model) for each in model._meta.private_fields),
    ]
    for path, other in related:
        if not path or not isinstance(other, type) or other is model:
            continue
        model_words = words_of(other)
        if path not in profiles and not any(word in each for each in model_words for word in words):
            continue
        own = search(other)
        plain = [each.name for each in columns(other) if each.name in ("number", "value", "address")]
        inner = own or (plain if any(words[0] in each for each in model_words) else [])
        paths.extend(f"{path}.{each}" for each in inner[:1])
    return paths


def _is_profile(relation: Any) -> bool:
    """Whether a relation is one-to-one and leads to a model that is named like a profile and isn't a child model."""
    field = relation.field
    if not isinstance(field, OneToOneField) or field.remote_field.parent_link:
        return False
    return bool(_PROFILES & set(words_of(relation.related_model)))


def language(model: type[Model]) -> str:
    return _column(model, ("language", "language_code", "preferred_language", "locale", "lang"))


def timezone(model: type[Model]) -> str:
    return _column(model, ("timezone", "time_zone", "tz"))


def _column(model: type[Model], candidates: tuple[str, ...]) -> str:
    column_names = {each.name for each in columns(model)}
    return next((each for each in candidates if each in column_names), "")


def narrowing(model: type[Model]) -> dict[str, dict[str, bool]]:
    """Return ``FILTER`` and ``EXCLUDE`` for boolean columns such as ``is_customer`` and ``is_deleted``."""
    flags = _flags(model)
    included = [each for each in (f"is_{word}" for word in CUSTOMERS[:5]) if each in flags]
    excluded = [each for each in _GONE if each in flags]
    options = {"FILTER": dict.fromkeys(included[:1], True), "EXCLUDE": dict.fromkeys(excluded, True)}
    return {option: value for option, value in options.items() if value}


def no_persons(model: type[Model]) -> dict[str, bool]:
    """Return ``EXCLUDE`` for employees. It covers users that represent a team or a program, and deleted rows."""
    flags = _flags(model)
    return dict.fromkeys([each for each in (*_NOBODY, *_GONE) if each in flags], True)


def colleagues(model: type[Model], staff: type[Model] | None) -> str:
    """Return the relation that marks a row of the customer model as a member of staff.

    This is either a relation to the user, such as ``is_user``, or an employee's one-to-one relation to the row.
    """
    for each in links(model):
        if leads_to(each, get_user_model()) and each.name.startswith("is_") and each.null:
            return str(each.name)
    for relation in model._meta.related_objects:
        if relation.related_model is staff and isinstance(relation.field, OneToOneField):
            return str(relation.field.related_query_name())
    return ""


def _flags(model: type[Model]) -> set[str]:
    return {each.name for each in columns(model) if isinstance(each, BooleanField)}


# --- roles


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


def plain(values: Iterable[str]) -> str | list[str]:
    several = list(values)
    return several[0] if len(several) == 1 else several


__all__ = [
    "CHIEFS", "CUSTOMERS", "DEPUTIES", "OWNERS", "TEAMS", "accessor", "belonging", "colleagues", "columns", "emails",
    "is_one", "language", "leads_to", "link", "links", "name", "names", "narrowing", "no_persons", "ours", "person",
    "phones", "plain", "role", "role_words", "timezone", "title", "words_of",
]  # fmt: skip
