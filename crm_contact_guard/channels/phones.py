"""Phone numbers in E.164 format. No models, since channels import none."""

from __future__ import annotations

import phonenumbers

from crm_contact_guard.conf import settings


def e164(value: str) -> str:
    """``+819012345678`` if the number is valid in one of the configured ``REGIONS``, otherwise ``""``."""
    for region in settings.REGIONS:
        try:
            number = phonenumbers.parse(value, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return ""
