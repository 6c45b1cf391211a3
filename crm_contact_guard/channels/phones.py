"""Phone numbers as carriers want them (E.164). Pure; a channel imports no model."""

from __future__ import annotations

import phonenumbers

from crm_contact_guard.conf import settings


def e164(value: str) -> str:
    """``+819012345678`` for a number that can be read in one of the configured ``REGIONS``, else ``""``."""
    for region in settings.REGIONS:
        try:
            number = phonenumbers.parse(value, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return ""
