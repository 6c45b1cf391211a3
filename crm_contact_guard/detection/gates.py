"""Gates: cheap prefilters, matched together in one RE2 Set.

A family of expressions runs on a text only if its gate opens.
"""

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
#: The pack family whose patterns open the gate ``PRIVATE_TOPIC``.
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
    """Return the Set of the wanted gates (all gates if ``None``), and the gate that each of its expressions opens.

    There are only a few patterns for private topics, so they serve as their own gate. A second Set would double the
    cost.
    """
    entries = [
        (gate, expression)
        for gate, expressions in GATES
        if wanted is None or gate in wanted
        for expression in expressions
    ]
    if wanted is None:
        entries.extend((PRIVATE_TOPIC, pattern.expression) for pattern in packs(TOPICS).patterns)
    return set_of(expression for _, expression in entries), tuple(gate for gate, _ in entries)


def opened(text: str, wanted: frozenset[int] | None = None) -> set[int]:
    """Return the gates that open for a folded text: among those in ``wanted``, or among all gates if it is None.

    ``wanted`` is either ``SENSITIVE`` or None.
    """
    expressions, gate_of = _signs(wanted)
    return {gate_of[entry] for entry in expressions.Match(text) or ()}
