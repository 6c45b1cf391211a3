"""Describes the shape of an identifier to a reader that must not see its value. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumberType

_PEOPLE: Final = {
    "JP": "Japanese",
    "US": "US",
    "GB": "British",
    "TH": "Thai",
    "VN": "Vietnamese",
    "PH": "Philippine",
    "KR": "Korean",
    "CN": "Chinese",
    "TW": "Taiwanese",
    "SG": "Singaporean",
}
#: Free email providers. Other domains aren't shown, since they may contain a person's name.
_FREE_MAIL: Final = (
    "gmail.com",
    "yahoo.co.jp",
    "yahoo.com",
    "outlook.com",
    "outlook.jp",
    "hotmail.com",
    "icloud.com",
    "docomo.ne.jp",
    "ezweb.ne.jp",
    "softbank.ne.jp",
    "naver.com",
    "qq.com",
)
_MESSENGERS: Final = {
    "line.me": "LINE",
    "lin.ee": "LINE",
    "t.me": "Telegram",
    "wa.me": "WhatsApp",
    "m.me": "Messenger",
    "instagram.com": "Instagram",
    "facebook.com": "Facebook",
    "x.com": "X",
    "discord.gg": "Discord",
}


def shape(kind: str, value: str, regions: Sequence[str]) -> str:
    """Return a description that doesn't reveal the value. It may be empty."""
    match kind:
        case "PHONE" | "NUMBER":
            return _phone(value, regions) or f"{sum(sign.isdigit() for sign in value)} digits"
        case "EMAIL":
            domain = value.rpartition("@")[2].casefold()
            return f"an address at {domain}" if domain in _FREE_MAIL else "a mail address"
        case "LINK":
            place = value.casefold().partition("://")[2] or value.casefold()
            host = place.partition("/")[0].removeprefix("www.")
            return f"a link to {_MESSENGERS[host]}" if host in _MESSENGERS else "a link"
        case "ID":
            return f"an ID of {len(value)} characters"
    return ""


def _phone(value: str, regions: Sequence[str]) -> str:
    for region in regions or ("JP",):
        try:
            number = phonenumbers.parse(value, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            where = phonenumbers.region_code_for_number(number) or region
            mobile = phonenumbers.number_type(number) == PhoneNumberType.MOBILE
            return f"a {_PEOPLE.get(where, where)} {'mobile' if mobile else 'telephone'} number"
    return ""
