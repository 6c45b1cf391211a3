"""The packs: fragment syntax, words, and the examples of each pattern."""

from __future__ import annotations

import pytest

from crm_contact_guard.detection.concepts.lexicon import LANGUAGES, lexicon, read_pack
from crm_contact_guard.detection.concepts.literals import FragmentError, expand
from crm_contact_guard.detection.concepts.patterns import Pattern, matches, patterns
from crm_contact_guard.detection.text.normalise import normalise


def matched(text: str) -> set[str]:
    folded = normalise(text).text
    hits = lexicon().hits(folded)
    return {patterns()[number].id for number, _, _ in matches(folded, hits, {hit[0] for hit in hits})}


@pytest.mark.parametrize(
    ("pattern", "text"),
    [(p, t) for p in patterns() for t in p.hits],
    ids=lambda v: v.id if isinstance(v, Pattern) else None,
)
def test_pattern_hits_its_examples(pattern: Pattern, text: str) -> None:
    assert pattern.id in matched(text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [(p, t) for p in patterns() for t in p.misses],
    ids=lambda v: v.id if isinstance(v, Pattern) else None,
)
def test_pattern_misses_its_counterexamples(pattern: Pattern, text: str) -> None:
    assert pattern.id not in matched(text)


def test_every_pattern_has_examples_and_reasons() -> None:
    for pattern in patterns():
        assert len(pattern.hits) >= 2
        assert len(pattern.misses) >= 2
        assert set(pattern.reasons) == {"en", "ja"}
    assert len({pattern.id for pattern in patterns()}) == len(patterns())


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_fragments_of_the_packs_are_finite(language: str) -> None:
    pack = read_pack(language)
    assert pack.version
    for slot, fragments in pack.slots.items():
        assert len(fragments) == len(set(fragments)), slot
        for fragment in fragments:
            words, _ = expand(fragment)
            assert all(word.strip() for word in words), (slot, fragment)


@pytest.mark.parametrize("fragment", ["a+", "a.*b", "(a)", "[^a]", "(?:a", "a{3}", "a?", "^a"])
def test_fragments_that_are_not_finite_are_rejected(fragment: str) -> None:
    with pytest.raises(FragmentError):
        expand(fragment)


@pytest.mark.parametrize(
    ("fragment", "words", "opened"),
    [
        ("(?:a|b)c?", ["a", "ac", "b", "bc"], False),
        ("[0-2]x", ["0x", "1x", "2x"], False),
        ("busca\\w*", ["busca"], True),
        ("a\\.b", ["a.b"], False),
    ],
)
def test_expansion(fragment: str, words: list[str], opened: bool) -> None:
    assert expand(fragment) == (words, opened)


@pytest.mark.parametrize(
    ("text", "concept", "found"),
    [
        ("line me up", "messenger", True),
        ("deadline", "messenger", False),
        ("LINEで", "messenger", True),
        ("交換しません。", "refuse", True),
        ("交換しませんか", "refuse", False),
        ("いたしかねます", "refuse", True),
        ("私人微信", "private", True),
        ("개인 카톡", "messenger", True),
        ("ขอไลน์ส่วนตัว", "private", True),
        ("kết bạn Zalo riêng", "messenger", True),
        ("búscame en Instagram", "reach_me", True),
        ("pahingi ng number mo", "exchange", True),
        ("kojin no LINE", "private", True),
    ],
)
def test_words_of_concepts(text: str, concept: str, found: bool) -> None:
    hits = {lexicon().concepts[hit] for hit, _, _ in lexicon().hits(normalise(text).text)}
    assert (concept in hits) is found


def test_no_text_that_must_not_follow_a_word_crosses_a_sentence() -> None:
    # Sentences are scored with the words found in the whole text, so a negation must not reach beyond a sentence.
    for pack in lexicon().packs:
        for slot in pack.not_before:
            for fragment in pack.slots[slot]:
                for word in expand(fragment)[0]:
                    assert not normalise(word).text.endswith(tuple("。！？!?\n;；….")), (pack.language, slot, word)
