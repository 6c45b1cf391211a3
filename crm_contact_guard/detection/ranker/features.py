"""The features of a text that the ranker weighs: concepts, candidates, and the concepts near the candidates."""

from __future__ import annotations

from itertools import combinations

from crm_contact_guard.detection.concepts.lexicon import Lexicon, lexicon
from crm_contact_guard.detection.concepts.patterns import patterns

SHAPES = (
    "phone:international", "phone:freephone", "phone:jp_mobile", "phone:jp_ip", "phone:uk_mobile", "phone:kr_mobile", "phone:asia_mobile", "phone:landline",
    "phone:nanp", "phone:cn_or_nanp", "phone:local", "phone:other", "phone:code", "phone:goroawase", "phone:flood",
    "email:free", "email:company", "email:spelled", "email:other", "email:hint",
    "link:line", "link:line_official", "link:whatsapp", "link:telegram", "link:profile", "link:invite",
    "handle:at", "handle:token", "address:ja", "address:en", "payment:payment", "payment:handle", "hint:computed",
)  # fmt: skip
#: Shapes by which a person can be reached, unlike codes and company addresses.
REACHABLE = frozenset(SHAPES) - {
    "phone:code",
    "phone:other",
    "phone:freephone",
    "phone:flood",
    "email:company",
    "link:line_official",
    "handle:token",
}
NEAR = (
    "private",
    "reference",
    "official",
    "form",
    "messenger",
    "social",
    "phone",
    "email",
    "contact",
    "reach_me",
    "exchange",
    "first",
    "second",
    "secret",
    "refuse",
    "report",
    "home",
    "disguise",
    "bypass",
)
EXTRA = (
    "inbound", "reachable", "disguised", "styled", "many_candidates", "question", "length<40", "length>140",
    "handle_of_messenger", "handle_of_social", "identifier_of_mine", "identifier_private", "identifier_for_form", "identifier_of_company", "identifier_labelled",
    "identifier_to_reach", "identifier_refused", "identifier_secret", "own_contact", "topics=0", "topics=1", "topics=2", "topics>3",
    "plainly",
)  # fmt: skip
#: Sorts of candidates.
SORTS = ("phone", "email", "link", "handle", "address", "payment", "hint")
#: Concepts that occur in nearly every attempt. How many of them a text contains is a feature.
TOPICS = (
    "messenger", "social", "phone", "email", "contact", "private", "reach_me", "reach_you", "elsewhere", "bypass", "meet", "home", "qr", "secret",
    "offwork", "leaving", "alone", "exchange", "freemail", "payment", "gift",
)  # fmt: skip
#: Concepts for the feature ``plainly``, which marks a short text that asks for or offers a messenger, network, private
#: number or address, and contains neither the company's context nor a negation. Such a text has too few words for their
#: individual weights to add up. Mentioning a number is not enough, since front desks ask for phone numbers, including
#: mobile numbers, all day. A customer who asks for a mobile number, however, means an employee's own.
NETWORKS = ("messenger", "social", "qr")
NUMBERS = ("phone", "email", "contact")
WISHES = ("exchange", "ask", "reach_me", "reach_you", "offer")
EXCUSES = ("official", "form", "refuse", "report", "rule", "benign_line")


#: The feature for each concept that has a special meaning near an identifier.
_MEANINGS = {
    "first": "identifier_of_mine",
    "private": "identifier_private",
    "form": "identifier_for_form",
    "official": "identifier_of_company",
    "reference": "identifier_labelled",
    "reach_me": "identifier_to_reach",
    "refuse": "identifier_refused",
    "secret": "identifier_secret",
}
#: The feature for each concept that has a special meaning near a handle.
_HANDLE_MEANINGS = {"messenger": "handle_of_messenger", "social": "handle_of_social"}


class FeatureSpace:
    """Names and indexes of the features. Concepts come first, so a concept's number is also its feature's index."""

    def __init__(self, words: Lexicon) -> None:
        concepts = words.concepts
        self.names = (
            list(concepts)
            + [f"in:{name}" for name in concepts]
            + list(SHAPES)
            + [f"near:{name}" for name in NEAR]
            + list(EXTRA)
            + [f"pattern:{pattern.id}" for pattern in patterns()]
        )
        self.patterns = len(self.names) - len(patterns())
        #: The feature for two concepts or candidates in one clause is ``together[first] + second``, with first <
        #: second. Candidates are numbered after the concepts, by sort.
        self.pairs = len(self.names)
        parts = [*concepts, *SORTS]
        self.together = [
            self.pairs + first * (2 * len(parts) - first - 1) // 2 - first - 1 for first in range(len(parts))
        ]
        self.names += [f"{first}+{second}" for first, second in combinations(parts, 2)]
        self.sorts = {sort: len(concepts) + number for number, sort in enumerate(SORTS)}
        self.index = {name: number for number, name in enumerate(self.names)}
        #: Offset from a concept to its feature for inbound messages.
        self.inbound = len(concepts)
        #: These map a concept to its feature for appearing near an identifier or near a handle.
        self.near = {words.index[name]: self.index[f"near:{name}"] for name in NEAR}
        self.meanings = {words.index[name]: self.index[meaning] for name, meaning in _MEANINGS.items()}
        self.handle_meanings = {words.index[name]: self.index[meaning] for name, meaning in _HANDLE_MEANINGS.items()}
        #: Concepts that have a feature for appearing near an identifier.
        self.speaking = frozenset({*self.near, *self.meanings, *self.handle_meanings})
        self.disguise = words.index["disguise"]
        self.topics = frozenset(words.index[name] for name in TOPICS)
        self.topic_counts = [self.index[name] for name in ("topics=0", "topics=1", "topics=2")]
        self.many_topics = self.index["topics>3"]
        self.by_customer, self.question = self.index["inbound"], self.index["question"]
        self.short, self.long = self.index["length<40"], self.index["length>140"]
        self.plainly, self.reference = self.index["plainly"], words.index["reference"]
        self.private, self.mobile = words.index["private"], words.index["mobile"]
        self.networks, self.numbers, self.wishes, self.excuses = (
            frozenset(words.index[name] for name in names) for names in (NETWORKS, NUMBERS, WISHES, EXCUSES)
        )


_space: list[FeatureSpace] = []


def space() -> FeatureSpace:
    """Return the feature space of the shipped packs."""
    if not _space:
        _space.append(FeatureSpace(lexicon()))
    return _space[0]
