"""Texts get the same verdict alone, in a batch and in windows scored together, whatever the weights are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_contact_guard.detection import Company, Direction, Scan, engine, scan, scan_many
from crm_contact_guard.detection.concepts.lexicon import MOST_MATCHES, lexicon
from crm_contact_guard.detection.identifiers import families as identifiers
from crm_contact_guard.detection.identifiers.candidates import Budget
from crm_contact_guard.detection.ranker import weighing
from crm_contact_guard.detection.ranker.features import space
from crm_contact_guard.detection.ranker.model import ranker
from crm_contact_guard.detection.text import ngrams, sentences
from crm_contact_guard.detection.text.normalise import normalise
from crm_contact_guard.detection.types import Finding, Kind

TRAINING = Path(__file__).parents[2] / "training"
COMPANY = Company(phones=frozenset({"090-1234-5678"}), domains=frozenset({"gmail.com"}), threshold=0.3)
#: Pieces whose ends begin, continue or negate a word.
PIECES = (
    "line", "LINE", "deadline", "教えて", "ライン", "しません", "しませんか", "個人の", "private", "my number", "090", "-1234-5678",
    "@", "gmail", ".com", "a_b.c1", "…", "。", ". ", ", ", " but ", "\n", " ", "\u200b", "\ud800", "ﾞ", "x", "～", "0", "#123", "-",
)  # fmt: skip
pieces = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)
long_texts = st.lists(st.sampled_from(PIECES), min_size=150, max_size=400).map("".join)


def _lines(*names: str) -> list[tuple[str, Direction]]:
    return [
        (row["text"], Direction(row["direction"]))
        for name in names
        for row in map(json.loads, (TRAINING / name).read_text("utf-8").splitlines())
    ]


@pytest.mark.parametrize("company", [None, COMPANY])
def test_a_batch_gets_the_same_verdicts_as_each_text_alone(company: Company | None) -> None:
    lines = _lines(
        "corpus/messages.jsonl", "data/holdout_ja.jsonl", "data/holdout_en.jsonl", "data/harassment_holdout.jsonl"
    )
    long = "\n".join(text for text, _ in lines[:90])
    lines[300:300] = [("", Direction.NOTE), (long, Direction.INBOUND), ("\ud800" * 700, Direction.OUTBOUND)]

    together = list(scan_many(lines, company=company))

    assert together == [scan(text, direction=side, company=company) for text, side in lines]
    assert sum(verdict.attempt for verdict in together) > 200


@settings(max_examples=100)
@given(st.lists(st.tuples(st.one_of(pieces, st.text(max_size=40)), st.sampled_from(list(Direction))), max_size=8))
def test_neighbours_do_not_change_a_verdict(messages: list[tuple[str, Direction]]) -> None:
    assert list(scan_many(messages)) == [scan(text, direction=side) for text, side in messages]


@settings(max_examples=60)
@given(long_texts)
def test_windows_scored_together_score_as_each_alone(text: str) -> None:
    normalised = normalise(text)
    budget, together = Budget(), Budget()
    alone = [
        weighing.weigh(normalised, start, end, Direction.INBOUND, COMPANY, budget)
        for start, end in weighing.parts(normalised.text)
    ]

    windows = weighing.weigh_text(normalised, Direction.INBOUND, COMPANY, together)

    assert [(w.offset, w.text, w.logit, w.probability) for w in windows] == [
        (w.offset, w.text, pytest.approx(w.logit, abs=1e-9), pytest.approx(w.probability, abs=1e-9)) for w in alone
    ]
    for window, other in zip(windows, alone, strict=True):
        assert sorted(window.evidence.hits) == sorted(other.evidence.hits)
        assert window.evidence.candidates == other.evidence.candidates
        assert sorted(window.evidence.active) == sorted(other.evidence.active)
    assert budget == together


@given(pieces, st.data())
def test_words_of_spans_are_those_of_separate_texts(text: str, data: st.DataObject) -> None:
    """A match at the end of a span may be a whole word, or not negated, only within the span."""
    folded = normalise(f"{text}deadline 交換しませんか").text
    ends = st.integers(0, len(folded))
    pairs = data.draw(st.lists(st.tuples(ends, ends), min_size=1, max_size=5))
    spans = [(min(pair), max(pair)) for pair in pairs]

    for (start, end), (hits, complete) in zip(spans, lexicon().seek_each(folded, spans), strict=True):
        assert complete
        assert sorted(hits) == sorted(lexicon().hits(folded[start:end]))


def test_a_window_with_too_many_words_is_thinned_in_the_same_way() -> None:
    text = normalise("line教えて " * 400).text
    spans = [(0, 600), (450, 1050), (1049, 1060), (7, 2400)]

    assert lexicon().seek_each(text, spans) == [lexicon().seek(text[start:end]) for start, end in spans]
    assert len(lexicon().hits(text)) < MOST_MATCHES


@given(st.text(max_size=60), st.data())
def test_ngrams_of_spans_weigh_as_those_of_separate_texts(text: str, data: st.DataObject) -> None:
    folded = normalise(text).text
    ends = st.integers(0, len(folded))
    pairs = data.draw(st.lists(st.tuples(ends, ends), max_size=5))
    spans = [(min(pair), max(pair)) for pair in pairs]

    assert ranker().grams_of(folded, spans) == [
        ngrams.weigh(folded[start:end], ranker()._weights) for start, end in spans
    ]


def test_numbers_of_pairs_match_their_names() -> None:
    features = space()
    names = [*lexicon().concepts, *features.sorts]
    for first, second in [(0, 1), (0, len(names) - 1), (5, 9), (len(names) - 2, len(names) - 1)]:
        assert features.names[features.together[first] + second] == f"{names[first]}+{names[second]}"


class Poison(str):
    """What a caller may hand in for a text, and what breaks whoever looks at it."""

    __slots__ = ()

    def isascii(self) -> bool:
        raise RuntimeError


def test_one_that_breaks_the_scanner_is_named_alone() -> None:
    good = "個人のLINEを交換しませんか。会社には内緒で。"

    verdicts = list(
        scan_many([(good, "outbound"), (Poison("poison"), "outbound"), (good, "outbound"), (good, "sideways")])
    )

    assert [[finding.detector for finding in verdict.findings] == ["engine.error"] for verdict in verdicts] == [
        False,
        True,
        False,
        True,
    ]
    assert verdicts[0] == verdicts[2] == scan(good, direction="outbound")


def test_a_detector_failing_on_one_text_is_reported_for_that_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def fussy(normalised: object, *_: object) -> Iterator[Finding]:
        yield Finding(Kind.HARASSMENT, 0, 1, 0.9, "fussy", "1")
        if "poison" in normalised.text:  # type: ignore[attr-defined]
            raise RuntimeError

    monkeypatch.setattr(engine, "_extra_detectors", lambda: (fussy,))

    verdicts = list(scan_many([("fine", "inbound"), ("poison", "inbound")]))

    assert [[finding.detector for finding in verdict.findings] for verdict in verdicts] == [
        ["fussy"],
        ["fussy", "engine.error"],
    ]


def test_texts_are_read_lazily() -> None:
    endless = ((f"Thank you, see you at {n}.", "inbound") for n in count())

    first: list[Scan] = list(islice(scan_many(endless), 3))

    assert len(first) == 3
    assert int(next(endless)[0].split()[-1].rstrip(".")) <= weighing.AT_ONCE


@given(pieces)
def test_sentences_and_clauses_end_as_by_the_plain_expressions(text: str) -> None:
    """Compare the optimised expressions with plain ones."""
    end = re.compile(r"[。！？!?\n;；…]+|\.(?=\s)")
    clause = re.compile(r"[。！？!?\n;；…、,，:：]+|\.(?=\s)|(?<=[a-z]) (?:but|and|so|because|though|although|if|or) ")

    assert [m.span() for m in sentences._END.finditer(text)] == [m.span() for m in end.finditer(text)]
    assert [m.span() for m in sentences._CLAUSE.finditer(text)] == [m.span() for m in clause.finditer(text)]


@given(st.text("ab1_.-#~ あ", max_size=30))
def test_tokens_are_the_same_except_for_plain_words(text: str) -> None:
    plain = re.compile(r"[a-z0-9_~][a-z0-9_]*(?:[._\-]+[a-z0-9_]+)*_*(?:#[0-9]{3,5})?")

    found = [(m.span(), m.group(1)) for m in identifiers.TOKEN.finditer(text)]

    assert [span for span, _ in found] == [m.span() for m in plain.finditer(text)]
    assert all(token or text[start:end].isalpha() for (start, end), token in found)
