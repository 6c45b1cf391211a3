"""Text from carriers, made fit to be stored."""

from __future__ import annotations

import unicodedata
from enum import StrEnum

from crm_contact_guard.proof.canonical import canonical_text


class Storable:
    """Base class for data from a carrier.

    Removes NUL and lone surrogates from strings, since databases can't store them. Where the original payload matters,
    it is kept as a file.
    """

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, str) and not isinstance(value, StrEnum):
                cleaned = canonical_text(value)
                if cleaned is not value:
                    object.__setattr__(self, name, cleaned)  # the dataclasses are frozen


def one_line(text: str) -> str:
    """Return ``text`` with a space in place of each control character and line break (Unicode's Cc, Zl and Zp)."""
    return "".join(" " if unicodedata.category(character) in ("Cc", "Zl", "Zp") else character for character in text)
