"""Normalisation of addresses for lookups, and masking for users without permission."""

from __future__ import annotations

import re

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.address_kinds import DOT, EMAIL, PHONE

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
    """The form used for comparison, at most 320 characters: lower-case mail, E.164 phone, or as the kind declares."""
    return registry.address_kind(kind).normalise(value)[:320]


def mask(kind: str, value: str) -> str:
    """The address as shown without permission to unmask: ``090-••••-1234``, ``h•••@gmail.com``, ``••••``."""
    return registry.address_kind(kind).mask(value) if value else ""


def name_of(text: str) -> str:
    """A name with addresses masked, since carriers may send an address as the name or within it."""
    return _PHONE.sub(lambda match: PHONE.mask(match[0]), _without_mail(text))


def data_of(text: str) -> str:
    """A carrier's data with mail addresses and phone numbers masked. Ids are not changed."""
    return _NUMBER_IN_DATA.sub(lambda match: PHONE.mask(match[0]), _without_mail(text))


def _without_mail(text: str) -> str:
    return _MAIL.sub(lambda match: EMAIL.mask(match[0]), text)


def key_of(key: str | None) -> str | None:
    """A host's customer key, masked if it is a mail address."""
    return EMAIL.mask(key) if key and "@" in key else key


def is_masked(text: str) -> bool:
    """Whether the text contains a masked address, so that it can't be used as a recipient's name."""
    return DOT in text
