"""The packs, read and compiled: slots of words by language, and the one Set in which they all are sought."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files

import re2

from crm_contact_guard.detection import identifiers, numerals

LANGUAGES = ("common", "ja", "en", "zh", "ko", "th", "vi", "es", "tl", "romaji")
PACKS = files("crm_contact_guard.detection") / "packs"
#: Enough for the Set's automaton on ordinary text; it is bounded and forgets beyond.
SET_MEMORY = 64 << 20


@dataclass(frozen=True, slots=True)
class Pack:
    """One language: ``slots`` maps a concept to the expression of its words."""

    language: str
    version: str
    slots: dict[str, str]


def read_pack(name: str) -> Pack:
    """Read ``packs/<name>.toml``."""
    raw = tomllib.loads((PACKS / f"{name}.toml").read_text("utf-8"))
    bounded = bool(raw.get("boundaries"))
    slots = {slot: bound(fragments, bounded) for slot, fragments in raw["slots"].items()}
    return Pack(raw["language"], raw["version"], slots)


def bound(fragments: Iterable[str], bounded: bool) -> str:
    """One expression of several fragments; where words are spaced, only whole words match."""
    parts = []
    for fragment in fragments:
        # \\b is ASCII only and fails beside signs and accented letters: it is put only where it can hold.
        left = r"\b" if bounded and (fragment[0].isascii() and (fragment[0].isalnum() or fragment[0] in "([")) else ""
        right = r"\b" if bounded and (fragment[-1].isascii() and (fragment[-1].isalnum() or fragment[-1] in ")]?+*")) else ""
        parts.append(f"{left}(?:{fragment}){right}")
    return "|".join(parts)


class Lexicon:
    """All slots and gates in one Set.

    ``concepts`` are the slot names in a fixed (alphabetical) order; ``owners[i]`` is the concept index of the Set's
    entry ``i``, negative for the gates of the identifiers (see ``GATE_NAMES``).
    """

    def __init__(self, packs: Iterable[Pack]) -> None:
        self.packs = tuple(packs)
        self.concepts = tuple(sorted({slot for pack in self.packs for slot in pack.slots}))
        self.index = {name: number for number, name in enumerate(self.concepts)}
        options = re2.Options()
        options.max_mem = SET_MEMORY
        options.log_errors = False
        self.set = re2.Set.SearchSet(options)
        self.owners: list[int] = []
        self.expressions: list[tuple[str, str]] = []
        for pack in self.packs:
            for slot, expression in pack.slots.items():
                self.set.Add(expression)
                self.owners.append(self.index[slot])
                self.expressions.append((expression, f"{pack.language}.{slot}"))
        for gate, expressions in GATES:
            for expression in expressions:
                self.set.Add(expression)
                self.owners.append(-gate)
                self.expressions.append((expression, f"gate.{gate}"))
        self.set.Compile()
        self.reasons: dict[str, dict[str, str]] = tomllib.loads((PACKS / "reasons.toml").read_text("utf-8"))


(PHONE, SPELLED, NOISE, LEET, EMAIL, EMAIL_SPACED, EMAIL_SLASH, EMAIL_HINT, LINK, ADDRESS_JA, ADDRESS_EN, TOKENS, AT, HINT, PAYMENT, GORO) = range(1, 17)
GATES = (
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
    (HINT, ("誕生|生年|生まれ|名札|ニックネーム|あだ名|苗字|名字|部屋番号|生日", r"birth|same (?:name )?as|underscore|nickname|name tag|name badge|put an? ")),
    (PAYMENT, (r"venmo|cash ?app|paypal|paypay|zelle|revolut|wise|gcash|bizum|kyash|prompt ?pay|momo|alipay|\$[a-z]|\b[a-z]{2}[0-9x]{2} ?[a-z0-9]{4} ?[a-z0-9]{4}|[a-z0-9]{24}",)),
    (GORO, ("[「『][ぁ-んァ-ヶー一-龥]{3,5}[」』]",)),
)


_cache: list[Lexicon] = []


def lexicon() -> Lexicon:
    """The compiled packs, made at first use."""
    if not _cache:
        _cache.append(Lexicon(read_pack(name) for name in LANGUAGES))
    return _cache[0]
