"""What the ranker is told about a text: concepts, candidates, and what stands near the candidates."""

from __future__ import annotations

from dataclasses import dataclass

from crm_contact_guard.detection import candidates as cand
from crm_contact_guard.detection.identifiers import Candidate
from crm_contact_guard.detection.lexicon import Lexicon, lexicon
from crm_contact_guard.detection.types import Company, Direction

SHAPES = (
    "phone:international", "phone:freephone", "phone:jp_mobile", "phone:jp_ip", "phone:uk_mobile", "phone:kr_mobile", "phone:asia_mobile", "phone:landline",
    "phone:nanp", "phone:cn_or_nanp", "phone:local", "phone:other", "phone:code", "phone:goroawase", "phone:flood",
    "email:free", "email:company", "email:spelled", "email:other", "email:hint",
    "link:line", "link:line_official", "link:whatsapp", "link:telegram", "link:profile", "link:invite",
    "handle:at", "handle:token", "address:ja", "address:en", "payment:payment", "payment:handle", "hint:computed",
)  # fmt: skip
#: Shapes that are a way to reach somebody, in contrast to codes and company addresses.
REACHABLE = frozenset(SHAPES) - {"phone:code", "phone:other", "phone:freephone", "phone:flood", "email:company", "link:line_official", "handle:token"}
NEAR = ("private", "reference", "official", "form", "messenger", "social", "phone", "email", "contact", "reach_me", "exchange", "first", "second", "secret", "refuse", "report", "home", "disguise", "bypass")
EXTRA = ("inbound", "reachable", "disguised", "many_candidates", "question", "short", "long", "any_token_near_messenger")
BEFORE, AFTER = 28, 18


@dataclass(slots=True)
class Evidence:
    """Concepts hit (indexes into the lexicon), candidates, and the indexes of the features that hold."""

    concepts: list[int]
    entries: list[int]
    candidates: list[Candidate]
    active: list[int]


class FeatureSpace:
    """Names and numbers of the features; concepts first, so that a concept's index is its feature."""

    def __init__(self, words: Lexicon) -> None:
        concepts = words.concepts
        self.names = (
            list(concepts) + [f"in:{name}" for name in concepts] + list(SHAPES) + [f"near:{name}" for name in NEAR] + list(EXTRA)
        )
        self.index = {name: number for number, name in enumerate(self.names)}
        self.inbound = len(concepts)
        self.near = {words.index[name]: self.index[f"near:{name}"] for name in NEAR}
        self.disguise = words.index["disguise"]


_space: list[FeatureSpace] = []


def space() -> FeatureSpace:
    """The feature space of the shipped packs."""
    if not _space:
        _space.append(FeatureSpace(lexicon()))
    return _space[0]


def extract(text: str, direction: Direction, company: Company) -> Evidence:
    """Evidence of one folded window of text."""
    words, features = lexicon(), space()
    owners = words.owners
    entries = words.set.Match(text) or []
    concepts: set[int] = set()
    gates: set[int] = set()
    for entry in entries:
        owner = owners[entry]
        if owner >= 0:
            concepts.add(owner)
        else:
            gates.add(-owner)
    active = set(concepts)
    if direction is Direction.INBOUND:
        active.add(features.index["inbound"])
        active.update(concept + features.inbound for concept in concepts)
    found: list[Candidate] = []
    if gates:
        found = cand.find(text, gates, company, reverse=features.disguise in concepts)
        if found:
            _describe(text, found, active, words, features)
    index = features.index
    if "?" in text or "？" in text:
        active.add(index["question"])
    if len(text) < 40:
        active.add(index["short"])
    elif len(text) > 140:
        active.add(index["long"])
    return Evidence(sorted(concepts), entries, found, sorted(active))


def _describe(text: str, found: list[Candidate], active: set[int], words: Lexicon, features: FeatureSpace) -> None:
    index, owners = features.index, words.owners
    if len(found) > 2:
        active.add(index["many_candidates"])
    for candidate in found[:8]:
        name = f"{candidate.sort}:{candidate.shape}"
        active.add(index[name])
        if name in REACHABLE:
            active.add(index["reachable"])
        if candidate.technique not in ("plain", "provider") and name in REACHABLE:
            active.add(index["disguised"])
        around = text[max(0, candidate.start - BEFORE) : candidate.start] + " … " + text[candidate.end : candidate.end + AFTER]
        for entry in words.set.Match(around) or ():
            feature = features.near.get(owners[entry])
            if feature is not None:
                active.add(feature)
