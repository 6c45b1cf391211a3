"""The evaluation: what it compares, and that the recorded figures meet what the product promises."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from training import compose, dataset, evaluate

FIGURES = json.loads((Path(evaluate.__file__).parent / "figures.json").read_text("utf-8"))


def test_interval_of_a_share() -> None:
    low, high = evaluate.wilson(9, 10)
    assert low == pytest.approx(0.5958, abs=1e-3)
    assert high == pytest.approx(0.9821, abs=1e-3)
    assert evaluate.wilson(0, 0) == (0.0, 1.0)


def test_a_fall_below_the_recorded_figures_is_named() -> None:
    fallen = json.loads(json.dumps(FIGURES))
    fallen["cv_corpus"]["f1"] -= 0.05
    assert evaluate.worse(FIGURES, FIGURES) == []
    assert [line.split()[0] for line in evaluate.worse(fallen, FIGURES)] == ["cv_corpus"]


def test_recorded_figures_keep_the_promises() -> None:
    corpus = FIGURES["cv_corpus"]
    assert corpus["f1"] >= 0.92
    assert corpus["flagged"]["identifier"]["share"] >= 0.97
    assert FIGURES["threads_corpus"]["f1"] >= 0.90
    assert FIGURES["disguises"]["macro_recall"] >= 0.95


def test_held_out_lines_are_never_trained_on() -> None:
    trained = {row["text"] for path in dataset.message_files() for row in dataset.read(path)}
    for path in dataset.holdout_files():
        assert not trained & {row["text"] for row in dataset.read(path)}, path.name
    assert not any(path.name.startswith("holdout_") for path in dataset.message_files())


def test_composed_lines_are_the_same_every_time() -> None:
    assert compose.rows() == compose.rows()
    assert {row["label"] for row in compose.rows()} == {"identifier", "benign"}
