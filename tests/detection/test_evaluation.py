"""The evaluation: scores, what counts as worse, and the separation of training data and held-out data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crm_contact_guard.detection import Direction
from training import collect, compose, dataset, evaluate, examples, real


def test_interval_of_a_proportion() -> None:
    low, high = evaluate.wilson(9, 10)
    assert low == pytest.approx(0.5958, abs=1e-3)
    assert high == pytest.approx(0.9821, abs=1e-3)
    assert evaluate.wilson(0, 0) == (0.0, 1.0)


def test_lower_recall_or_more_flagged_harmless_talk_is_worse() -> None:
    def figures(f1: float, flagged: float) -> evaluate.Figures:
        return {"quick": {"lines": {"f1": f1, "benign": {"share": flagged}, "identifier": {"share": 1 - flagged}}}}

    recorded = figures(0.90, 0.01)
    assert evaluate.worse(figures(0.95, 0.0), recorded) == []
    assert evaluate.worse(figures(0.80, 0.01), recorded) == ["quick · lines · f1 0.8 < 0.9"]
    assert evaluate.worse(figures(0.90, 0.05), recorded) == ["quick · lines · benign · share 0.05 > 0.01"]


def test_lines_are_scored_by_the_detectors_verdicts() -> None:
    rows = [
        {"text": "LINE交換しませんか？", "direction": "inbound", "label": "solicit"},
        {"text": "Breakfast is at seven.", "direction": "outbound", "label": "benign"},
    ]
    figures = evaluate.of_lines(rows, deep=False)
    assert (figures["precision"], figures["recall"]) == (1.0, 1.0)
    assert figures["benign"]["found"] == 0


def test_lines_with_the_same_label_from_both_readers_are_kept(tmp_path: collect.Path) -> None:
    (tmp_path / "lines.txt").write_text(
        "qa < ja | ⟦LINE教えて⟧ください\nb > en | See you at the desk.\nh < en | ⟦I know where you live⟧\n", "utf-8"
    )
    (tmp_path / "labels.txt").write_text("1 q\n2 r\n3 h\n", "utf-8")
    counts = collect.Counts()
    rows = list(collect.lines(tmp_path, "w99", counts))

    assert [(row["label"], row["code"], row["spans"]) for row in rows] == [
        ("solicit", "qa", ["LINE教えて"]),
        ("harassment", "h", ["I know where you live"]),
    ]
    assert dict(counts.dropped) == {"benign read as refusal": 1}


def test_threads_are_kept_if_both_readers_name_a_message_of_the_same_side(tmp_path: collect.Path) -> None:
    talk = "> Hello\n< Hi\n>* Call me on my own phone\n< Sure\n"
    (tmp_path / "threads.txt").write_text(f"# attempt qo en\n{talk}\n# attempt qo en\n{talk}", "utf-8")
    (tmp_path / "thread_labels.txt").write_text("1 2\n7 3\n", "utf-8")
    [kept] = collect.threads(tmp_path, "w99", collect.Counts())

    assert (kept["by"], kept["evidence_at"], kept["code"]) == ("employee", 2, "qo")


def test_messages_after_an_attempt_are_not_trained_on() -> None:
    row = {
        "id": "t",
        "label": "attempt",
        "evidence_at": 1,
        "code": "qa",
        "messages": [{"direction": "inbound", "text": text} for text in ("hello", "your number?", "please")],
    }
    found = list(examples.of_threads([row], "t", sampled=1.0))

    assert [(one.text, one.attempt) for one in found] == [("hello", False), ("your number?", True)]
    assert found[1].talk[0].text == "hello"
    assert found[1].direction is Direction.INBOUND


def test_no_dialogue_of_real_talk_is_in_two_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(real, "FOLDER", tmp_path)  # the sets themselves lie beside the repository
    parts: tuple[real.Part, ...] = ("training", "calibration", "measuring")
    for name in real.MESSAGES:
        rows = [{"id": f"{name}:{talk}:{line}", "text": "hello"} for talk in range(400) for line in range(3)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    real._read.cache_clear()
    try:
        found = {name: [real.messages(name, part) for part in parts] for name in real.MESSAGES}
    finally:
        real._read.cache_clear()

    for name, read in found.items():
        ids = [{row["id"].rpartition(":")[0] for row in rows} for rows in read]
        assert sum(map(len, read)) == 1200
        assert sum(map(len, ids)) == len(set().union(*ids)) == 400, "no dialogue in two parts"
        shares = [len(one) / 400 for one in ids]
        assert shares == ([0, 0, 1] if name in real.UNSEEN else pytest.approx([1 / 2, 1 / 8, 3 / 8], abs=0.08))


def test_held_out_lines_are_never_trained_on() -> None:
    trained = {row["text"] for path in dataset.message_files() for row in dataset.read(path)}
    for path in dataset.holdout_files():
        held = {row["text"] for row in dataset.read(path)}
        same = {text for text in trained & held if len(text) > 12}  # "ok" and 了解です occur everywhere
        assert not same, path.name
    for parts in (dataset.writer_files, dataset.writer_thread_files):
        assert not {*parts("held out")} & {*parts("training"), *parts("calibration")}
    assert not {*dataset.holdout_files()} & {*dataset.all_files()}


def test_composed_lines_are_reproducible() -> None:
    assert compose.rows() == compose.rows()
    assert {row["label"] for row in compose.rows()} == {"identifier", "benign"}
