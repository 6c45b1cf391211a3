"""Kinds of customer addresses.

Each channel declares the kind that it sends to. Kinds that several channels share are defined here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.conf import settings

#: Pattern for names of address kinds. The column has 16 characters, and the option of ``CUSTOMER`` is the name in
#: capitals.
NAME: Final = re.compile(r"[a-z][a-z0-9_]{1,15}")
DOT: Final = "•"


def hidden(_value: str) -> str:
    """Return a mask that reveals nothing."""
    return DOT * 4


class AddressKind(str):
    """A kind of customer address. Its string value is the name that is stored and that the CRM's adapter uses.

    ``label`` is the translatable name shown to people. ``normalise`` returns an address in the form in which equal
    addresses compare equal ("" if there is none). ``mask`` returns what people without the unmask permission see, and
    ``is_valid`` whether messages could reach an address. The defaults suit opaque IDs, which are trimmed, hidden, and
    valid unless empty.
    """

    __slots__ = ("is_valid", "label", "mask", "normalise")

    def __new__(cls, name: str, label: Any, **rules: Callable[[str], Any]) -> AddressKind:
        """Create the string. ``rules`` are the keyword arguments of ``__init__``.

        Raises ValueError for a name that can't be used.
        """
        if not NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a name for an address kind: 2 to 16 of a-z, 0-9 and _")
        return super().__new__(cls, name)

    def __init__(
        self,
        name: str,
        label: Any,
        *,
        normalise: Callable[[str], str] = str.strip,
        mask: Callable[[str], str] = hidden,
        is_valid: Callable[[str], bool] = lambda value: bool(value.strip()),
    ) -> None:
        self.label = label
        self.normalise = normalise
        self.mask = mask
        self.is_valid = is_valid


# --- e-mail


def _mail(value: str) -> str:
    return value.strip().lower()


def _masked_mail(value: str) -> str:
    local, at, domain = value.rpartition("@")
    return f"{local[:1]}{DOT * 3}@{domain}" if at else hidden(value)


def _is_mail(value: str) -> bool:
    try:
        validate_email(value)
    except ValidationError:
        return False
    return True


EMAIL: Final = AddressKind("email", _("E-mail"), normalise=_mail, mask=_masked_mail, is_valid=_is_mail)


# --- telephone


def e164(value: str) -> str:
    """Return the number in the form ``+819012345678``, or ``""`` if it is invalid.

    A number without a country code is tried in each of the configured ``REGIONS``.
    """
    # With a country code, a number is parsed the same way in every region, so once is enough.
    regions = [None, *settings.REGIONS] if value.startswith(("+", "＋")) else settings.REGIONS
    for region in regions:
        try:
            number = phonenumbers.parse(value, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        if region is None:
            break
    return ""


def _number(value: str) -> str:
    """Return the number in E.164. One that can't be parsed is reduced to its digits, so that equal ones still match."""
    value = value.strip()
    return e164(value) or "".join(character for character in value if character.isdigit())


def _masked_number(value: str) -> str:
    digits = [index for index, character in enumerate(value) if character.isdigit()]
    keep = set(digits[:3]) | set(digits[-4:]) if len(digits) > 8 else set(digits[-2:])
    return "".join(
        DOT if character.isdigit() and index not in keep else character for index, character in enumerate(value)
    )


def _is_number(value: str) -> bool:
    return bool(e164(value.strip()))


PHONE: Final = AddressKind("phone", _("Phone"), normalise=_number, mask=_masked_number, is_valid=_is_number)
WHATSAPP: Final = AddressKind("whatsapp", _("WhatsApp"), normalise=_number, mask=_masked_number, is_valid=_is_number)

#: Stands in for a kind that no channel declares any longer. People see that kind's stored name.
UNKNOWN: Final = AddressKind("unknown", "")
