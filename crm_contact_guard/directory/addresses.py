"""Normalisation of addresses for lookups, and masking for users without permission."""

from __future__ import annotations

import re

import phonenumbers

from crm_contact_guard.conf import settings
from crm_contact_guard.directory.models import AddressKind

_DOT = "•"
#: An address within a name: a mail address, or a sequence of digits as long as a phone number.
_MAIL = re.compile(r"[^\s<>()\"',;:@]{1,64}@[^\s<>()\"',;:@]{1,255}")
_PHONE = re.compile(r"\+?\d(?:[\s().\-‐‑–ー/]{0,2}\d){6,18}")

#: A phone number in a carrier's data: at most the 15 digits of E.164, not part of a longer id, not a date, and not a
#: time in milliseconds (thirteen digits that begin with 15 to 19 are not a phone number of any country).
_NUMBER_IN_DATA = re.compile(
    r"(?<![0-9A-Za-z_])(?!(?:19|20)\d\d-[01]\d-[0-3]\d(?!\d))(?!1[5-9]\d{11}(?!\d))"
    r"\+?\d(?:[\s().\-‐‑–ー/]{0,2}\d){6,14}(?![0-9A-Za-z_])"
)


def normalise(kind: str, value: str) -> str:
    """The form used for comparison: lower-case mail, E.164 phone (for the configured regions), otherwise trimmed text.

    A phone number that can't be parsed is reduced to its digits, so that equal ones still match.
    """
    value = value.strip()
    if kind == AddressKind.EMAIL:
        return value.lower()
    if kind in (AddressKind.PHONE, AddressKind.WHATSAPP):
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
        return "".join(character for character in value if character.isdigit())
    return value


def mask(kind: str, value: str) -> str:
    """The address as shown without permission to unmask: ``090-••••-1234``, ``h•••@gmail.com``, ``••••``."""
    if not value:
        return ""
    if kind == AddressKind.EMAIL and "@" in value:
        local, domain = value.rsplit("@", 1)
        return f"{local[:1]}{_DOT * 3}@{domain}"
    if kind in (AddressKind.PHONE, AddressKind.WHATSAPP):
        digits = [index for index, character in enumerate(value) if character.isdigit()]
        keep = set(digits[:3]) | set(digits[-4:]) if len(digits) > 8 else set(digits[-2:])
        return "".join(
            _DOT if character.isdigit() and index not in keep else character for index, character in enumerate(value)
        )
    return _DOT * 4


def name_of(text: str) -> str:
    """A name with addresses masked, since carriers may send an address as the name or within it."""
    text = _MAIL.sub(lambda match: mask(AddressKind.EMAIL, match[0]), text)
    return _PHONE.sub(lambda match: mask(AddressKind.PHONE, match[0]), text)


def data_of(text: str) -> str:
    """A carrier's data with mail addresses and phone numbers masked. Ids are not changed."""
    text = _MAIL.sub(lambda match: mask(AddressKind.EMAIL, match[0]), text)
    return _NUMBER_IN_DATA.sub(lambda match: mask(AddressKind.PHONE, match[0]), text)


def key_of(key: str | None) -> str | None:
    """A host's customer key, masked if it is a mail address."""
    return mask(AddressKind.EMAIL, key) if key and "@" in key else key


def is_masked(text: str) -> bool:
    """Whether the text contains a masked address, so that it can't be used as a recipient's name."""
    return _DOT in text
