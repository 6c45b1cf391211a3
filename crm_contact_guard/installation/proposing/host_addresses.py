"""Guess which columns of a host's models contain email addresses and phone numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import BooleanField, CharField, EmailField, Model, OneToOneField

from crm_contact_guard.installation.proposing.host_fields import columns, words_of

_MAILS = ("email", "e_mail", "mail")
_PHONES = ("phone", "mobile", "cell", "telephone", "tel", "phone_number", "gsm", "cellphone", "handy", "keitai")
#: Words in the names of fields that describe an address but don't contain one.
_ABOUT = {
    "verified", "confirmed", "confirmation", "code", "ext", "extension", "country", "type", "e164", "normalized", "fax",
    "hash", "token", "count", "subject", "template", "host", "password", "label", "prefix",
}  # fmt: skip
#: Words in the names of models that hold additional data about a person.
_PROFILES = {"profile", "detail", "info", "information", "data", "extra", "record"}


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
