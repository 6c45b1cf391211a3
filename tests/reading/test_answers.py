"""Validation of answers."""

from __future__ import annotations

import json

import pytest

from crm_contact_guard.detection.types import By
from crm_contact_guard.reading.answers import Unusable, read
from tests.reading.reader_server import NO, YES, completion

SIDES = (By.CUSTOMER, By.EMPLOYEE)


@pytest.mark.parametrize(
    "content",
    [
        YES,
        f"<think>Hm, {{maybe}}.</think>{json.dumps(YES)}",
        f"```json\n{json.dumps(YES)}\n```",
    ],
)
def test_an_answer_is_found_within_surrounding_text(content: object) -> None:
    answer = read(completion(content).body, SIDES)

    assert (answer.attempt, answer.by, answer.message) == (True, By.CUSTOMER, 0)


def test_a_no_names_nobody_and_its_explanation_is_one_short_line() -> None:
    answer = read(completion({**NO, "why": "a\n\x00b " + "c" * 999}).body, SIDES)

    assert (answer.attempt, answer.by) == (False, None)
    assert answer.why.startswith("a ")
    assert len(answer.why) <= 300


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("no idea", "garbage"),
        ("", "garbage"),
        ("[]", "garbage"),
        ('{"attempt": false}', "garbage"),
        ({**NO, "attempt": "false"}, "garbage"),
        ({**NO, "attempt": 0}, "garbage"),
        ({**NO, "message": True}, "garbage"),
        ({**NO, "message": "0"}, "garbage"),
        ({**NO, "by": "the company"}, "garbage"),
        ({**NO, "by": ["customer"]}, "garbage"),
        ({**NO, "note": "more"}, "garbage"),
        ({**NO, "why": None}, "garbage"),
        ('{"why": "", "attempt": true, "attempt": false, "by": "nobody", "message": 0}', "garbage"),
        ("[" * 100_000, "garbage"),
        ({**NO, "message": 2}, "wrong_index"),
        ({**YES, "message": -1}, "wrong_index"),
        ({**YES, "message": 1}, "wrong_side"),
        ({**YES, "by": "nobody"}, "wrong_side"),
    ],
)
def test_invalid_answers_are_rejected(content: object, word: str) -> None:
    with pytest.raises(Unusable, match=word):
        read(completion(content).body, SIDES)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"{}", b'{"choices": []}', b'{"choices": [{"message": {}}]}', b"\xff"]
)
def test_invalid_completions_are_rejected(body: bytes) -> None:
    with pytest.raises(Unusable, match="garbage"):
        read(body, SIDES)
