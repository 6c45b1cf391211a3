"""The examples of each shape of identifier and each sort of sensitive data in the pack, run as tests."""

from __future__ import annotations

from typing import Any

import pytest
import re2

from crm_contact_guard.detection import packs
from crm_contact_guard.detection.gates import opened
from crm_contact_guard.detection.identifiers import candidates
from crm_contact_guard.detection.ranker.features import SHAPES
from crm_contact_guard.detection.sensitive import finding as sensitive
from crm_contact_guard.detection.sensitive.words import any_of
from crm_contact_guard.detection.text.normalise import normalise
from crm_contact_guard.detection.types import Company, Direction

EXAMPLES = packs.read("identifiers")["shape"]
WORDS = packs.read("sensitive")["words"]
#: Shapes without a simple example: numbers of no known shape, and a flood of numbers.
WITHOUT = {"phone:other", "phone:flood"}
SENSITIVE = {sensitive.CARD, sensitive.MY_NUMBER, "sensitive.credential"}


def shapes(text: str) -> set[str]:
    normalised = normalise(text)
    found = candidates.find(normalised.text, opened(normalised.text), Company(), candidates.Budget(), reverse=False)
    findings = sensitive.find(normalised, Direction.INBOUND, Company())
    return {f"{c.sort}:{c.shape}" for c in found} | {finding.detector for finding in findings}


@pytest.mark.parametrize(("shape", "text"), [(e["id"], text) for e in EXAMPLES for text in e["hits"]])
def test_shape_is_found_in_its_hits(shape: str, text: str) -> None:
    assert shape in shapes(text)


@pytest.mark.parametrize(("shape", "text"), [(e["id"], text) for e in EXAMPLES for text in e["misses"]])
def test_shape_is_not_found_in_its_misses(shape: str, text: str) -> None:
    assert shape not in shapes(text)


def test_every_shape_has_examples() -> None:
    assert [e["id"] for e in EXAMPLES if not e["hits"] or not e["misses"]] == []
    assert {e["id"] for e in EXAMPLES} == (set(SHAPES) - WITHOUT) | SENSITIVE


@pytest.mark.parametrize("entry", WORDS, ids=lambda entry: str(entry["id"]))
def test_words_around_sensitive_data_match_in_their_hits_alone(entry: dict[str, Any]) -> None:
    expression = re2.compile(any_of(entry["id"]))

    assert [text for text in entry["hits"] if not expression.search(normalise(text).text)] == []
    assert [text for text in entry["misses"] if expression.search(normalise(text).text)] == []
