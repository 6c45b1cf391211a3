"""Normalisation of addresses for lookups, and masking for users without permission."""

from __future__ import annotations

import re

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.address_kinds import DOT, EMAIL, PHONE

#: Addresses within a name: an email address, or a sequence of digits as long as a phone number.
_MAIL = re.compile(r"[^\s<>()\"',;:@]{1,64}@[^\s<>()\"',;:@]{1,255}")
_PHONE = re.compile(r"\+?\d(?:[\s().\-‐‑–ー/]{0,2}\d){6,18}")

#: A phone number in a carrier's data, with at most 15 digits as in E.164. Parts of longer IDs, dates and times in
#: milliseconds don't match. (No country has phone numbers of thirteen digits that begin with 15 to 19.)
_NUMBER_IN_DATA = re.compile(
    r"(?<![0-9A-Za-z_])(?!(?:19|20)\d\d-[01]\d-[0-3]\d(?!\d))(?!1[5-9]\d{11}(?!\d))"
    r"\+?\d(?:[\s().\-‐‑–ー/]{0,2}\d){6,14}(?![0-9A-Za-z_])"
)


def normalise(kind: str, value: str) -> str:
    """Return the address in the form used for comparisons, at most 320 characters long.

    Email addresses are converted to lower case and phone numbers to E.164. Other kinds declare their own form.
    """
    return registry.address_kind(kind).normalise(value)[:320]


def mask(kind: str, value: str) -> str:
    """Return the address as shown without permission to unmask it: ``090-••••-1234``, ``h•••@gmail.com``, ``••••``."""
    return registry.address_kind(kind).mask(value) if value else ""


def name_of(text: str) -> str:
    """Return the name with addresses masked, since carriers may send an address as the name or within it."""
    return _PHONE.sub(lambda match: PHONE.mask(match[0]), _without_mail(text))


def data_of(text: str) -> str:
    """Return a carrier's data with email addresses and phone numbers masked. IDs are not changed."""
    return _NUMBER_IN_DATA.sub(lambda match: PHONE.mask(match[0]), _without_mail(text))


def _without_mail(text: str) -> str:
    return _MAIL.sub(lambda match: EMAIL.mask(match[0]), text)


def key_of(key: str | None) -> str | None:
    """Return a host's customer key, masked if it is an email address."""
    return EMAIL.mask(key) if key and "@" in key else key


def is_masked(text: str) -> bool:
    """Whether the text contains a masked address, so that it can't be used as a recipient's name."""
    return DOT in text
