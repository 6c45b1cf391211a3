"""Recall on disguised contacts, from a generator that is independent of the engine's tables."""

from __future__ import annotations

from collections import defaultdict

import pytest

from crm_contact_guard.detection import Direction, scan
from crm_contact_guard.detection.identifiers.families import phone_shape
from crm_contact_guard.detection.text.normalise import normalise
from crm_contact_guard.detection.text.numerals import decode
from tests.detection.disguises import covered, samples

EACH = 15
LEAST = 0.95


def test_macro_recall_over_all_techniques() -> None:
    hits: dict[str, list[bool]] = defaultdict(list)
    for technique, text, hidden in samples(20261124, EACH):
        hits[technique].append(covered(text, hidden, scan(text, direction=Direction.OUTBOUND)))
    shares = {technique: sum(found) / len(found) for technique, found in hits.items()}
    assert len(shares) >= 55
    assert sum(shares.values()) / len(shares) >= LEAST, {t: s for t, s in shares.items() if s < LEAST}


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("oh seven seven double-oh, nine hundred, three four one", "07700900341"),
        ("〇九〇の一二三四の五六七八", "09012345678"),
        ("ゼロきゅうゼロ、いちにさんよん", "0901234"),
        ("zero kyuu zero ichi ni san yon", "0901234"),
        ("공일공 일이삼사", "0101234"),
        ("triple seven", "777"),
        ("tree-oh-five", "305"),
    ],
)
def test_spelled_numbers_are_decoded(written: str, digits: str) -> None:
    assert decode(written) == digits


def test_words_that_contain_numerals_are_not_numbers() -> None:
    assert decode("someone tonight often") == ""


@pytest.mark.parametrize(
    ("digits", "written", "shape"),
    [
        ("09012345678", "090-1234-5678", "jp_mobile"),
        ("08001234567", "0800-123-4567", "freephone"),
        ("08001234567", "080-0123-4567", "jp_mobile"),
        ("0120000000", "0120-000-000", "freephone"),
        ("07700900341", "07700 900341", "uk_mobile"),
        ("2125550123", "(212) 555-0123", "nanp"),
        ("34600000713", "+34 600 000 713", "international"),
    ],
)
def test_shapes_of_numbers(digits: str, written: str, shape: str) -> None:
    assert phone_shape(digits, written) == shape


@pytest.mark.parametrize(
    ("original", "folded"),
    [
        ("ＬＩＮＥ", "line"),
        ("ﾗｲﾝ", "ライン"),
        ("ｶﾞｷﾞ", "ガギ"),
        ("か\u3099", "が"),
        ("𝟎𝟗𝟎", "090"),
        ("⓪⑨⓪", "090"),
        ("0️⃣9️⃣", "09"),
        ("0\u200b9\u00ad0", "090"),
        ("٠٩٠", "090"),
        ("〇九〇", "〇九〇"),
        ("gmаil", "gmail"),
        ("\ud800x", "\ufffdx"),
        ("🅻🅸🅽🅴", "line"),
    ],
)
def test_folding(original: str, folded: str) -> None:
    assert normalise(original).text == folded


def test_spans_include_dropped_characters() -> None:
    normalised = normalise("x0️⃣9️⃣y")
    start = normalised.text.index("09")
    assert normalised.original[slice(*normalised.span(start, start + 2))] == "0️⃣9️⃣"
