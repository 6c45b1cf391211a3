"""Gates: cheap signs, sought together in one re2 Set, without which a family of expressions is not worth looking for."""

from __future__ import annotations

from functools import lru_cache

import re2

from crm_contact_guard.detection.harassment.packs import packs
from crm_contact_guard.detection.identifiers import families as identifiers
from crm_contact_guard.detection.sensitive.credentials import SECRET
from crm_contact_guard.detection.text import numerals
from crm_contact_guard.detection.text.sets import set_of

(PHONE, SPELLED, NOISE, LEET, EMAIL, EMAIL_SPACED, EMAIL_SLASH, EMAIL_HINT, LINK, ADDRESS_JA, ADDRESS_EN, TOKENS, AT, HINT, PAYMENT, GORO,
 LONG_NUMBER, SECRET_NAME, PRIVATE_TOPIC) = range(1, 20)  # fmt: skip
SENSITIVE = frozenset({LONG_NUMBER, SECRET_NAME})
#: The family of packs whose patterns open ``PRIVATE_TOPIC``.
TOPICS = "private_topic"
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
IDENTIFIERS = frozenset(range(PHONE, GORO + 1))


@lru_cache(maxsize=2)
def _signs(wanted: frozenset[int] | None) -> tuple[re2.Set, tuple[int, ...]]:
    """The Set of the wanted gates, or of all, and the gate that each of its expressions opens.

    The few patterns of private topics are their own gate: a second Set would cost as much again as all gates together.
    """
    listed = [
        (gate, expression)
        for gate, expressions in GATES
        if wanted is None or gate in wanted
        for expression in expressions
    ]
    if wanted is None:
        listed.extend((PRIVATE_TOPIC, pattern.expression) for pattern in packs(TOPICS).patterns)
    return set_of(expression for _, expression in listed), tuple(gate for gate, _ in listed)


def opened(text: str, wanted: frozenset[int] | None = None) -> set[int]:
    """The gates that open for a folded text: all of them, or those of ``wanted`` (one selection, ``SENSITIVE``, is kept)."""
    signs, opens = _signs(wanted)
    return {opens[entry] for entry in signs.Match(text) or ()}
