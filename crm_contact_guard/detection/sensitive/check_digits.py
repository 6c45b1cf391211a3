"""Checks by check digit and number range whether a run of digits is a payment card number or a My Number.

This is pure arithmetic on strings of ASCII digits. The words around the number are evaluated elsewhere.
"""

from __future__ import annotations

#: (first prefix, last prefix, permitted lengths) of ISO/IEC 7812 issuer identification numbers as the schemes publish
#: them. Maestro is left out: its ranges (50, 56–58, 6…) overlap with all others, so only the label could identify it.
_ISSUERS: tuple[tuple[int, int, tuple[int, ...]], ...] = (
    (4, 4, (13, 16, 19)),  # Visa
    (51, 55, (16,)),  # Mastercard
    (2221, 2720, (16,)),
    (34, 34, (15,)),  # American Express
    (37, 37, (15,)),
    (3528, 3589, (16,)),  # JCB
    (300, 305, (14,)),  # Diners Club
    (3095, 3095, (14,)),
    (36, 36, (14,)),
    (38, 39, (14,)),
    (6011, 6011, (16,)),  # Discover
    (644, 649, (16,)),
    (65, 65, (16,)),
    (62, 62, (16, 17, 18, 19)),  # UnionPay
)


def luhn(digits: str) -> bool:
    """Whether the last digit is the correct check digit (ISO/IEC 7812-1 annex B)."""
    total = 0
    for place, character in enumerate(reversed(digits)):
        value = int(character)
        if place % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


def issuer_known(digits: str) -> bool:
    """Whether a card scheme issues numbers with this prefix and length."""
    for first, last, lengths in _ISSUERS:
        if len(digits) in lengths and first <= int(digits[: len(str(first))]) <= last:
            return True
    return False


def is_card(digits: str) -> bool:
    """Whether the digits are a plausible payment card number: a scheme's range and length, and a correct Luhn digit.

    The same digit repeated ("4444…") is not a card number.
    """
    return issuer_known(digits) and len(set(digits)) > 1 and luhn(digits)


def is_my_number(digits: str) -> bool:
    """Whether twelve digits end in the check digit of an individual number (Japan, 総務省令第85号 of 2014, art. 5).

    Let P_n be the n-th digit from the right among the first eleven, and let Q_n be n + 1 for n ≤ 6 and n − 5 for n > 6.
    The check digit is 11 − (Σ P_n·Q_n mod 11), or 0 if the remainder is 0 or 1.
    """
    if len(digits) != 12 or len(set(digits)) == 1:
        return False
    body = [int(character) for character in reversed(digits[:11])]
    remainder = sum(value * (n + 1 if n <= 6 else n - 5) for n, value in enumerate(body, start=1)) % 11
    return int(digits[11]) == (0 if remainder <= 1 else 11 - remainder)
