"""Scan speed compared with Presidio and a bare RE2 Set: ``python benchmarks/bench_detection_speed.py``.

One process, one core, the shared corpus, alternating rounds, medians. Presidio runs its phone, e-mail and URL
recognisers without an NLP model; the bare Set holds fragments of the packs. "scan", the relevant figure, is one message
at a time; "scan_many" is bulk work, 200 messages at a time. Also prints the cost by length, and that of hostile texts
and texts full of attempts with 100,000 characters. Needs ``presidio-analyzer``; without it, that comparison is left
out.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import re2

from crm_contact_guard.detection import Direction, scan, scan_many
from crm_contact_guard.detection.concepts.lexicon import lexicon
from crm_contact_guard.detection.text.normalise import normalise
from crm_contact_guard.detection.text.sets import set_of

CORPUS = Path(__file__).parent.parent / "training" / "corpus" / "messages.jsonl"
LENGTHS = (1_000, 10_000, 100_000, 1_000_000)
HOSTILE_LENGTH = 100_000
HOSTILE = {
    "digits": "0123456789",
    "phones": "090-1234-5678 ",
    "at signs": "@",
    "words": "LINE教えて ",
    "mail": "a.b@gmail.com ",
    "marks": "a\u0301\u0300",
    "zero width": "0\u200b",
    "surrogates": "\ud800x",
    "kanji digits": "〇九〇一二三",
    "spelled": "zero nine oh ",
    "links": "t.me/abc_def1 ",
    "handles": "a_b.c1 ",
    "quotes": "「ヨロシク」",
    "half-width kana": "ｶﾞﾗｲﾝ",
    "addresses": "12 a b c street ",
    "frames": "On 24 Nov 2026 at 10:00, A <a@b.example> wrote:\nFrom: a@b.example\n",
    "chats": "[12/03/2026, 10:32] J: x\n",
    "signatures": "株式会社楓\nTEL 03-0000-0000\n\n",
}


def presidio() -> Callable[[str], object] | None:
    """Presidio's analysis of one text, or ``None`` if it is not installed."""
    try:
        from presidio_analyzer.nlp_engine import NlpArtifacts
        from presidio_analyzer.predefined_recognizers import EmailRecognizer, PhoneRecognizer, UrlRecognizer
    except ImportError:
        return None
    # Its e-mail recogniser requests a list of domains from the network and falls back to a shipped one.
    logging.getLogger("tldextract").setLevel(logging.CRITICAL)
    recognizers = [PhoneRecognizer(supported_regions=("JP", "US")), EmailRecognizer(), UrlRecognizer()]
    artifacts = NlpArtifacts(entities=[], tokens=[], tokens_indices=[], lemmas=[], nlp_engine=None, language="en")
    # The analyser's loop without its overhead, which favours Presidio.
    return lambda text: [r.analyze(text, r.supported_entities, artifacts) for r in recognizers]


def bare_set() -> re2.Set:
    """A RE2 Set of 300 fragments of the packs."""
    fragments = dict.fromkeys(f for pack in lexicon().packs for fs in pack.slots.values() for f in fs)
    return set_of(list(fragments)[:300])


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of one call, without garbage collection."""
    gc.disable()
    start = time.thread_time()
    work()
    spent = time.thread_time() - start
    gc.enable()
    return spent


def corpus(rounds: int) -> None:
    """Print messages per second on the shared corpus."""
    rows = [json.loads(line) for line in CORPUS.read_text("utf-8").splitlines()]
    pairs = [(row["text"], Direction(row["direction"])) for row in rows]
    folded = [normalise(text).text for text, _ in pairs]
    words = bare_set()
    sides: dict[str, Callable[[], object]] = {
        "scan": lambda: [scan(text, direction=direction) for text, direction in pairs],
        "scan_many": lambda: list(scan_many(pairs)),
        "bare re2 Set": lambda: [words.Match(text) for text in folded],
    }
    peer = presidio()
    if peer is not None:
        sides["Presidio"] = lambda: [peer(text) for text, _ in pairs]
    for work in sides.values():
        work()
    spent: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, work in sides.items():
            spent[name].append(seconds(work))
    medians = {name: statistics.median(times) / len(pairs) for name, times in spent.items()}
    for name, median in medians.items():
        print(f"{name:14} {median * 1e6:8.1f} µs/message {1 / median:10.0f} messages/s")
    if peer is not None:
        for name in ("scan", "scan_many"):
            ratios = [theirs / ours for theirs, ours in zip(spent["Presidio"], spent[name], strict=True)]
            print(f"{name} is {statistics.median(ratios):.2f} × Presidio (rounds {min(ratios):.2f}–{max(ratios):.2f})")


def lengths() -> None:
    """Print milliseconds by length of ordinary text, and of hostile texts."""
    rows = [json.loads(line) for line in CORPUS.read_text("utf-8").splitlines()]
    ordinary = "\n".join(row["text"] for row in rows) * 50
    attempts = "\n".join(row["text"] for row in rows if row["label"] in ("identifier", "solicit"))
    for length in LENGTHS:
        text = ordinary[:length]
        print(
            f"{length:9} characters {min(seconds(lambda: scan(text, direction=Direction.INBOUND)) for _ in range(3)) * 1e3:8.1f} ms"
        )
    for name, unit in (HOSTILE | {"attempts": attempts + "\n"}).items():
        text = (unit * (HOSTILE_LENGTH // len(unit) + 1))[:HOSTILE_LENGTH]
        print(
            f"{name:16} {min(seconds(lambda: scan(text, direction=Direction.INBOUND)) for _ in range(5)) * 1e3:8.1f} ms"
        )


def main() -> None:
    """Run both parts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    corpus(options.rounds)
    lengths()


if __name__ == "__main__":
    main()
