"""Normalising and masking addresses: what look-ups compare, and what people without permission see."""

from __future__ import annotations

import re

import phonenumbers

from crm_contact_guard.conf import settings
from crm_contact_guard.directory.models import AddressKind

_DOT = "•"
#: An address inside of a name: a mail address, or as many digits as a phone number has.
_MAIL = re.compile(r"[^\s<>()\"',;:@]{1,64}@[^\s<>()\"',;:@]{1,255}")
_PHONE = re.compile(r"\+?\d(?:[\s().\-‐‑–ー/]{0,2}\d){6,18}")

#: A telephone number in a carrier's data: at most the 15 digits of E.164, no part of a longer id, no date, and no time
#: in milliseconds (thirteen digits that begin with a 1 are no number of any country).
_NUMBER_IN_DATA = re.compile(
    r"(?<![0-9A-Za-z_])(?!(?:19|20)\d\d-[01]\d-[0-3]\d(?!\d))(?!1[5-9]\d{11}(?!\d))"
    r"\+?\d(?:[\s().\-‐‑–ー/]{0,2}\d){6,14}(?![0-9A-Za-z_])"
)


def normalise(kind: str, value: str) -> str:
    """The comparable form: lower-case mail, E.164 phone (read in the configured regions), else trimmed text.

    A phone that can't be read is kept as its digits, so that it still finds itself.
    """
    value = value.strip()
    if kind == AddressKind.EMAIL:
        return value.lower()
    if kind in (AddressKind.PHONE, AddressKind.WHATSAPP):
        # With its country in front, as carriers write it, a number is read alike in every region: once is enough.
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
    """What a person without the unmask permission sees: ``090-••••-1234``, ``h•••@gmail.com``, ``••••``."""
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
    """A name as people may see it: an address that carriers put in a name's place, or into it, is masked."""
    text = _MAIL.sub(lambda found: mask(AddressKind.EMAIL, found[0]), text)
    return _PHONE.sub(lambda found: mask(AddressKind.PHONE, found[0]), text)


def data_of(text: str) -> str:
    """A carrier's data as people may see them: mail addresses and telephone numbers are masked, ids are left alone."""
    text = _MAIL.sub(lambda found: mask(AddressKind.EMAIL, found[0]), text)
    return _NUMBER_IN_DATA.sub(lambda found: mask(AddressKind.PHONE, found[0]), text)


def key_of(key: str | None) -> str | None:
    """A host's customer key as people may see it: in some hosts it is a mail address."""
    return mask(AddressKind.EMAIL, key) if key and "@" in key else key


def is_masked(text: str) -> bool:
    """Whether an address was masked in this text, so that it is no name to write on an envelope."""
    return _DOT in text
