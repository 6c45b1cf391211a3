"""Harassment: true and false positives, and recorded figures that must not get worse."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_contact_guard.detection.harassment.finding import SEVERITY, Severity, find, severity
from crm_contact_guard.detection.harassment.packs import LANGUAGES, Pattern, read_patterns
from crm_contact_guard.detection.text.normalise import normalise
from crm_contact_guard.detection.types import Company, Direction, Finding, Kind

TRAINING = Path(__file__).parents[2] / "training"
PATTERNS = [pattern for language in LANGUAGES for pattern in read_patterns(language)]
PROVING = [pattern for pattern in PATTERNS if pattern.score >= 0.5]
#: Recorded on the holdout, by which no pattern, weight or threshold was chosen: precision 1.000, recall .633. Before
#: training on other writers, recall was .783 here and lower on theirs: the author of the patterns wrote the holdout.
HOLDOUT_PRECISION, HOLDOUT_RECALL = 0.98, 0.62


def seen(text: str, direction: Direction = Direction.INBOUND) -> list[Finding]:
    return list(find(normalise(text), direction, Company()))


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (TRAINING / name).read_text("utf-8").splitlines()]


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.id)
def test_each_hit_is_matched_by_its_own_pattern(pattern: Pattern) -> None:
    assert pattern.hits
    for text in pattern.hits:
        assert pattern.compiled.search(normalise(text).text), text


@pytest.mark.parametrize("pattern", PROVING, ids=lambda pattern: pattern.id)
def test_hits_of_a_sufficient_pattern_are_findings_and_its_misses_are_not(pattern: Pattern) -> None:
    for text in pattern.hits:
        assert seen(text), text
    assert pattern.misses
    for text in pattern.misses:
        assert not seen(text), text


def test_pack_ids_are_unique_and_every_category_has_a_severity() -> None:
    assert len({pattern.id for pattern in PATTERNS}) == len(PATTERNS)
    assert {pattern.category for pattern in PATTERNS} == set(SEVERITY)


@pytest.mark.parametrize(
    ("text", "category", "level"),
    [
        ("殺すぞ、マジで。査定のやつ出せよ。", "threat", Severity.HIGH),
        ("支配人とお前で部屋まで来て土下座しろ。", "dogeza", Severity.MEDIUM),
        ("何時に終わるか知ってるよ。", "stalking", Severity.HIGH),
        ("シャワーがぬるかったので慰謝料100万円払え。", "excessive_demand", Severity.MEDIUM),
        ("ﾌｻﾞｹﾝなよ、おい。なめてんのか？", "intimidation", Severity.LOW),
        ("I know when you finish. I'll be by your car.", "stalking", Severity.HIGH),
        ("Ｙｏｕ'ｒｅ ａ ｕｓｅｌｅｓｓ ｉｄｉｏｔ.", "insult", Severity.LOW),
        ("I'll k\u200bill you, you hear?", "threat", Severity.HIGH),
        ("Go back to your own country.", "discrimination", Severity.MEDIUM),
    ],
)
def test_category_severity_and_evidence(text: str, category: str, level: Severity) -> None:
    finding = max(seen(text), key=lambda found: found.score)
    assert finding.kind is Kind.HARASSMENT
    assert finding.technique == category
    assert severity(finding) is level
    assert 0 <= finding.start < finding.end <= len(text)
    assert finding.version


@pytest.mark.parametrize(
    "text",
    [
        "「殺すぞ」と隣の人に怒鳴られました。",
        "隣の席の客が店員さんに土下座しろと言っていて不愉快でした。",
        'My neighbour shouted "I\'ll break your legs" through the door.',
        "I was a complete idiot to your night porter.",
        "麻婆豆腐、死ぬほど美味しかったです！",
        "このままお返事がなければ、消費生活センターに相談いたします。",
        "If I don't hear back by Friday I'll go to the small claims court.",
        "",
        "。。。!!!",
    ],
)
def test_reports_quotes_idioms_and_lawful_threats_are_not_harassment(text: str) -> None:
    assert not seen(text)


def test_a_text_that_is_entirely_quoted_is_not_a_report() -> None:
    assert seen("「殺すぞ、お前」")


@pytest.mark.parametrize("direction", [Direction.OUTBOUND, Direction.NOTE])
def test_messages_of_employees_are_not_checked(direction: Direction) -> None:
    assert not seen("お客様に「殺すぞ」と言われました。殺すぞ。死ね。", direction)


def test_weak_signals_add_up() -> None:
    assert not seen("お前が来るの？")
    assert seen("おい、お前、さっさと返せ！")


def test_data_is_large_balanced_and_has_verbatim_labels() -> None:
    tuning, held = lines("data/harassment.jsonl"), lines("data/harassment_holdout.jsonl")
    assert len(tuning) >= 440
    assert len(held) >= 120
    for rows in (tuning, held):
        fair = sum(row["label"] == "fair" for row in rows)
        assert 0.45 < fair / len(rows) < 0.56
        for row in rows:
            assert row["label"] in ("harassment", "fair")
            assert bool(row["spans"]) is (row["label"] == "harassment"), row["id"]
            assert all(span in row["text"] for span in row["spans"])
            assert row["label"] == "fair" or row["kind"] in SEVERITY
    texts = [row["text"] for row in (*tuning, *held)]
    assert len(set(texts)) == len(texts)
    assert len({row["id"] for row in (*tuning, *held)}) == len(texts)


def test_holdout_figures_do_not_get_worse() -> None:
    found, meant = [], []
    for row in lines("data/harassment_holdout.jsonl"):
        found.append(bool(seen(row["text"], Direction(row["direction"]))))
        meant.append(row["label"] == "harassment")
    true = sum(f and m for f, m in zip(found, meant, strict=True))
    assert true / sum(found) >= HOLDOUT_PRECISION
    assert true / sum(meant) >= HOLDOUT_RECALL


def test_messages_about_contacts_are_flagged_at_most_once_in_two_hundred() -> None:
    rows = lines("corpus/messages.jsonl")
    flagged = [row["text"] for row in rows if seen(row["text"])]
    assert len(flagged) <= 0.005 * len(rows), flagged


@pytest.mark.parametrize("text", ["殺すぞ、マジで。", "I know where you live now. Cute red door."])
@pytest.mark.parametrize("around", ["先日はありがとうございました。 ", "The parcel came on Monday. Thank you. "])
def test_padding_neither_removes_a_finding_nor_moves_it(text: str, around: str) -> None:
    alone = max(seen(text), key=lambda found: found.score)
    evidence = text[alone.start : alone.end]
    for copies in (1, 40, 400):
        padded = around * copies + text + " " + around * copies
        found = [padded[f.start : f.end] for f in seen(padded) if f.detector == alone.detector]
        assert found == [evidence]


@settings(max_examples=150)
@given(st.text(max_size=300))
def test_no_text_raises_and_spans_are_inside(text: str) -> None:
    for finding in seen(text + "殺すぞ。"):
        assert 0 <= finding.start < finding.end <= len(text) + 4


@pytest.mark.parametrize("unit", ["お前は", "「殺すぞ」と言われた。", "I'll kill ", "you stupid ", "\ud800", "死"])
def test_cost_is_linear(unit: str) -> None:
    def seconds(length: int) -> float:
        normalised = normalise(unit * (length // len(unit)))
        best = 9.0
        for _ in range(3):
            started = time.perf_counter()
            list(find(normalised, Direction.INBOUND, Company()))
            best = min(best, time.perf_counter() - started)
        return best

    seconds(1_000)
    assert seconds(100_000) < 20 * seconds(10_000) + 0.05
