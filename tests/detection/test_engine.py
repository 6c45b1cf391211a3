"""Verdicts, findings and their spans; the company's own contacts; robustness against any text."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crm_contact_guard.detection import (
    By,
    Company,
    Direction,
    Kind,
    Scan,
    Stance,
    Tier,
    explain,
    reason,
    scan,
)
from crm_contact_guard.detection.types import Finding

ATTEMPTS = [
    ("個人のLINEを交換しませんか。会社には内緒で。", "outbound", Stance.ASK),
    ("私の携帯 090-1234-5678 に直接お電話ください。店は通さなくていいです。", "outbound", Stance.OFFER),
    ("Text me on my own phone, 07700 900341, not through the office.", "outbound", Stance.OFFER),
    ("What's your Insta? I'll follow you from my personal one.", "inbound", Stance.ASK),
    ("仕事終わりにふたりで飲みに行きませんか？お店の人には内緒で。", "inbound", Stance.ASK),
    ("Write to me privately: rick(at)gmail(dot)com", "inbound", Stance.OFFER),
]
HARMLESS = [
    ("ご注文番号 090-1180-4427-66 の商品を本日発送いたしました。", "outbound"),
    ("お問い合わせは代表 03-0127-4410（平日9時から18時）までお電話ください。", "outbound"),
    ("LINE交換の件はお断りします。書類は会社から郵送してください。", "inbound"),
    ("Staff can't share personal numbers, sorry! The official account answers from 10 to 8.", "outbound"),
    ("点滴のラインを左腕に取り直しました。", "outbound"),
    ("予約お願いします。金曜19時半、6人、小野寺で。電話は090-5028-1164です。", "inbound"),
    ("May I have your phone number, please?", "outbound"),
    ("What's the best number to reach you on?", "outbound"),
    ("", "inbound"),
]
#: What people type first when they try out the detector; from either side.
PLAIN_OPENINGS = [
    "LINE交換してください",
    "LINE教えて",
    "連絡先交換しませんか",
    "カカオ交換しませんか",
    "インスタ教えてください",
    "Add me on LINE",
    "What's your Insta?",
    "can I get your WhatsApp",
    "加个微信吧",
]
PLAIN_AND_HARMLESS = [
    "公式LINEを追加してください",
    "お店のLINEはありますか？",
    "サイズを交換してください",
    "ご予約のお電話番号をお願いします",
    "お店の電話番号を教えてください",
    "申し訳ございません、個人のLINEはお教えできません",
    "Please add our official LINE account",
    "What's your extension?",
    "What's the shop's phone number?",
    "Can I exchange this shirt?",
    "Sorry, I can't give you my number",
]
PADDING = [
    "本日もご利用いただきありがとうございます。",
    "Thank you for your visit. ",
    "朝食は7時からでございます。",
    "The weather was fine. ",
    "\n\n",
    "　",
]


@pytest.mark.parametrize(("text", "direction", "stance"), ATTEMPTS)
def test_attempts(text: str, direction: str, stance: Stance) -> None:
    verdict = scan(text, direction=direction)
    assert verdict.attempt
    assert verdict.stance is stance
    assert verdict.by is (By.EMPLOYEE if direction == "outbound" else By.CUSTOMER)
    assert verdict.findings


@pytest.mark.parametrize(("text", "direction"), HARMLESS)
def test_harmless_texts_are_not_attempts(text: str, direction: str) -> None:
    verdict = scan(text, direction=direction)
    assert not verdict.attempt
    assert verdict.by is None
    assert not verdict.stance.is_attempt


@pytest.mark.parametrize("direction", [Direction.INBOUND, Direction.OUTBOUND])
@pytest.mark.parametrize("text", PLAIN_OPENINGS)
def test_a_plain_request_is_an_attempt(text: str, direction: Direction) -> None:
    verdict = scan(text, direction=direction)
    assert verdict.attempt
    assert verdict.findings


def test_an_employees_own_cell_alerts_and_a_customers_is_noticed() -> None:
    """A customer may mean the company when asking to be texted."""
    assert scan("text me on my cell", direction=Direction.OUTBOUND).tier is Tier.ALERT
    assert scan("text me on my cell", direction=Direction.INBOUND).tier is Tier.NOTICED


@pytest.mark.parametrize("direction", [Direction.INBOUND, Direction.OUTBOUND])
@pytest.mark.parametrize("text", PLAIN_AND_HARMLESS)
def test_common_front_desk_phrases_are_not_attempts(text: str, direction: Direction) -> None:
    assert not scan(text, direction=direction).attempt


@pytest.mark.parametrize(
    "text", ["携帯番号教えてください", "スタッフさん、携帯教えて", "Can I have your mobile number?"]
)
def test_a_customer_asking_for_a_mobile_number_is_an_attempt(text: str) -> None:
    asked = scan(text, direction=Direction.INBOUND)
    assert asked.tier is not Tier.NONE
    assert asked.score > scan(text, direction=Direction.OUTBOUND).score


@pytest.mark.parametrize(
    "text",
    ["携帯番号を教えてください", "受付に必要ですので、携帯番号を伺えますか", "And your mobile number, for the driver?"],
)
def test_a_front_desk_may_ask_for_a_mobile_number(text: str) -> None:
    assert not scan(text, direction=Direction.OUTBOUND).attempt


def test_a_refusal_has_the_stance_refuse() -> None:
    assert scan("LINE交換の件はお断りします。", direction="outbound").stance is Stance.REFUSE


def test_evidence_is_the_identifier_itself() -> None:
    text = "Ring my own mobile ０７７００　９００３４１ tonight, not the desk."
    findings = [f for f in scan(text, direction="outbound").findings if f.kind is Kind.CONTACT_IDENTIFIER]
    assert [text[f.start : f.end] for f in findings] == ["０７７００　９００３４１"]
    assert findings[0].detector == "phone"


def test_company_contacts_are_allowed() -> None:
    text = "私の携帯 070-3145-2231 に直接お電話ください。"
    company = Company(phones=frozenset({"+81 70 3145 2231"}))
    assert scan(text, direction="outbound").attempt
    allowed = scan(text, direction="outbound", company=company)
    assert allowed.score < scan(text, direction="outbound").score
    assert all(f.kind is not Kind.CONTACT_IDENTIFIER for f in allowed.findings)


@pytest.mark.parametrize(
    ("company", "text"),
    [
        (Company(handles=frozenset({"@hotel_minato"})), "LINEは hotel_minato です、追加してください"),
        (Company(domains=frozenset({"minato.co.jp"})), "個人的なご相談も sato@minato.co.jp まで"),
        (Company(urls=frozenset({"https://line.me/R/ti/p/abc"})), "こちらを追加 https://line.me/R/ti/p/abc"),
    ],
)
def test_other_own_contacts(company: Company, text: str) -> None:
    assert not scan(text, direction="outbound", company=company).attempt


def test_threshold_of_the_preset_decides() -> None:
    text = ATTEMPTS[0][0]
    score = scan(text, direction="outbound").score
    assert not scan(text, direction="outbound", company=Company(threshold=score + 0.001)).attempt
    assert scan(text, direction="outbound", company=Company(threshold=score - 0.001)).attempt


def _assert_sound(text: str, verdict: Scan) -> None:
    for finding in verdict.findings:
        assert 0 <= finding.start <= finding.end <= len(text)
        assert 0.0 <= finding.score <= 1.0
        assert finding.detector != "engine.error"


@settings(max_examples=150)
@given(
    st.text(alphabet=st.characters(codec=None, exclude_categories=()), max_size=400), st.sampled_from(list(Direction))
)
def test_no_text_raises_and_spans_are_inside(text: str, direction: Direction) -> None:
    _assert_sound(text, scan(text, direction=direction))


@settings(max_examples=150)
@given(
    st.lists(
        st.sampled_from(
            [
                "LINE",
                "教えて",
                "090",
                "1234",
                "5678",
                "@",
                "gmail",
                ".com",
                "\u200b",
                "\ud800",
                "ﾞ",
                "０",
                "個人の",
                "line://",
                "「ヨロシク」",
                " ",
                "\n",
                "〇九〇",
            ]
        ),
        max_size=60,
    )
)
def test_pieces_of_evidence_in_any_order(pieces: list[str]) -> None:
    text = "".join(pieces)
    _assert_sound(text, scan(text, direction=Direction.INBOUND))


def _identifiers(text: str, verdict: Scan) -> set[str]:
    return {text[f.start : f.end] for f in verdict.findings if f.kind is Kind.CONTACT_IDENTIFIER}


@settings(max_examples=80)
@example(
    "個人のLINEを交換しませんか。会社には内緒で。", ["朝食は7時からでございます。"], ["朝食は7時からでございます。"] * 2
)
@given(
    st.sampled_from([text for text, direction, _ in ATTEMPTS if direction == "outbound"]),
    st.lists(st.sampled_from(PADDING), max_size=40),
    st.lists(st.sampled_from(PADDING), max_size=40),
)
def test_padding_never_removes_a_finding(text: str, before: list[str], after: list[str]) -> None:
    padded = "".join(before) + text + " " + "".join(after)
    plain, verdict = scan(text, direction="outbound"), scan(padded, direction="outbound")
    assert verdict.attempt
    assert _identifiers(text, plain) <= _identifiers(padded, verdict)


def test_an_attempt_far_down_a_long_text_is_found() -> None:
    text = "本日は晴天です。" * 5000 + "個人のLINEを交換しませんか。会社には内緒で。" + "よい一日を。" * 5000
    verdict = scan(text, direction="outbound")
    assert verdict.attempt
    assert any("LINE" in text[f.start : f.end] for f in verdict.findings)


def test_implausibly_many_numbers_are_a_finding() -> None:
    text = " ".join(f"090-{n:04}-{n:04}" for n in range(1000))
    assert any(f.detector == "phone.flood" for f in scan(text, direction="inbound").findings)


@pytest.mark.parametrize(
    "unit",
    [
        "0123456789",
        "@",
        "a.b@gmail.com ",
        "a\u0301",
        "0\u200b",
        "\ud800",
        "〇九〇一二三",
        "zero nine ",
        "t.me/ab_c1 ",
        "LINE教えて",
    ],
)
def test_cost_is_linear_in_the_length(unit: str) -> None:
    def spent(length: int) -> float:
        text = (unit * length)[:length]
        best = float("inf")
        for _ in range(3):
            start = time.thread_time()
            scan(text, direction="inbound")
            best = min(best, time.thread_time() - start)
        return best

    spent(2_000)
    # Quadratic cost would be at least 16 times as much; 8 leaves room for noise.
    assert spent(80_000) < 8 * spent(20_000) + 0.02


def test_a_failing_detector_is_reported_as_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> list[Finding]:
        raise RuntimeError

    monkeypatch.setattr("crm_contact_guard.detection.engine._extra_detectors", lambda: (broken,))
    verdict = scan("hello", direction="inbound")
    assert [f.detector for f in verdict.findings] == ["engine.error"]


def test_importing_is_cheap() -> None:
    code = "import sys, crm_contact_guard.detection; sys.exit(any(m in sys.modules for m in ('numpy', 're2', 'phonenumbers', 'django')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_explanation_shows_all_steps_in_both_languages() -> None:
    text = "私の個人のLINEは tori_masa99 です。会社には内緒で。"
    english, japanese = explain(text, "outbound", "en"), explain(text, "outbound", "ja")
    for shown in (english, japanese):
        assert "tori_masa99" in shown
        assert "ja.private" in shown
        assert "probability" in shown
    assert reason("handle", "en") in english
    assert reason("handle", "ja") in japanese
    assert reason("handle", "ja") != reason("handle", "en")


@pytest.mark.parametrize(
    "text",
    [
        "Do you get mad at me?",
        "Which singer's real name is Stefani?",
        "I live with my cat.",
        "Please see Chart.yaml and plan_v2.xlsm.",
    ],
)
def test_ordinary_words_and_file_names_are_not_accounts(text: str) -> None:
    found = scan(text, direction=Direction.INBOUND)

    assert not found.attempt
    assert not any(finding.kind is Kind.CONTACT_IDENTIFIER for finding in found.findings)
