"""Gates: cheap signs, sought together in one re2 Set, without which a family of expressions is not worth looking for."""

from __future__ import annotations

from functools import lru_cache

import re2

from crm_contact_guard.detection import identifiers, numerals
from crm_contact_guard.detection.sensitive_credentials import SECRET
from crm_contact_guard.detection.sets import set_of

(PHONE, SPELLED, NOISE, LEET, EMAIL, EMAIL_SPACED, EMAIL_SLASH, EMAIL_HINT, LINK, ADDRESS_JA, ADDRESS_EN, TOKENS, AT, HINT, PAYMENT, GORO,
 LONG_NUMBER, SECRET_NAME) = range(1, 19)  # fmt: skip
#: Those of sensitive data; all others are of identifiers.
SENSITIVE = frozenset({LONG_NUMBER, SECRET_NAME})
GATES: tuple[tuple[int, tuple[str, ...]], ...] = (
    (PHONE, (numerals.PLAIN_GATE,)),
    (SPELLED, numerals.SPELLED_GATES),
    (NOISE, (numerals.NOISE_GATE,)),
    (LEET, (numerals.LEET_GATE,)),
    (EMAIL, (identifiers.EMAIL_GATE,)),
    (EMAIL_SPACED, (identifiers.EMAIL_SPACED_GATE,)),
    (EMAIL_SLASH, (identifiers.EMAIL_SLASH_GATE,)),
    (EMAIL_HINT, (identifiers.EMAIL_HINT_GATE,)),
    (LINK, (identifiers.LINK_GATE,)),
    (ADDRESS_JA, (identifiers.ADDRESS_JA_GATE,)),
    (ADDRESS_EN, (identifiers.ADDRESS_EN_GATE,)),
    (TOKENS, (r"[a-z0-9]+[._][a-z0-9_]|_|[a-z]{3}[0-9]{2}|[a-z]-[a-z0-9]|#[0-9]{3}",)),
    (AT, ("@",)),
    (
        HINT,
        (
            "誕生|生年|生まれ|名札|ニックネーム|あだ名|苗字|名字|部屋番号|生日",
            r"birth|same (?:name )?as|underscore|nickname|name tag|name badge|put an? ",
        ),
    ),
    (PAYMENT, (identifiers.PAYMENT_GATE,)),
    (GORO, ("[「『][ぁ-んァ-ヶー一-龥]{3,5}[」』]",)),
    (LONG_NUMBER, (r"\d(?:[ .・-]{0,2}\d){11}",)),
    (SECRET_NAME, (SECRET,)),
)
_OPENS = tuple(gate for gate, expressions in GATES for _ in expressions)


@lru_cache(maxsize=1)
def _signs() -> re2.Set:
    return set_of(expression for _, expressions in GATES for expression in expressions)


def opened(text: str) -> set[int]:
    """The gates that open for a folded text."""
    return {_OPENS[entry] for entry in _signs().Match(text) or ()}
