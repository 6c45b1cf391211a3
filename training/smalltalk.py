"""Small talk as harmless training data for the ranker.

``python -m training.smalltalk`` writes ``data/smalltalk.jsonl`` from chatterbot-corpus (BSD-3-Clause, PyPI). The file
contains the English utterances with an even checksum, and all Japanese ones. The English utterances with an odd
checksum are never used for training; ``evaluate`` reports on them.
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path

OUT = Path(__file__).parent / "data" / "smalltalk.jsonl"
#: Longer utterances are source code, which no customer sends.
LONGEST = 300


def utterances(language: str) -> list[str]:
    """Return the distinct utterances of a language in the installed corpus, in the order of the corpus files."""
    import chatterbot_corpus
    import yaml

    result: dict[str, None] = {}
    for path in sorted((Path(chatterbot_corpus.__file__).parent / "data" / language).glob("*.yml")):
        for talk in yaml.safe_load(path.read_text("utf-8"))["conversations"]:
            result.update(dict.fromkeys(str(utterance) for utterance in talk))
    return list(result)


def trained(text: str) -> bool:
    """Whether an English utterance belongs to the half used for training."""
    return zlib.crc32(text.encode()) % 2 == 0


def main() -> None:
    """Write the file."""
    texts = [("en", text) for text in utterances("english") if trained(text)] + [
        ("ja", text) for text in utterances("japanese")
    ]
    rows = [
        {
            "id": f"talk{n:04}",
            "lang": lang,
            "industry": "none",
            "direction": "inbound" if zlib.crc32(text.encode()) % 3 else "outbound",
            "text": text,
            "label": "benign",
            "kind": "smalltalk",
            "spans": [],
        }
        for n, (lang, text) in enumerate(texts)
        if len(text) <= LONGEST
    ]
    OUT.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    print(f"{len(rows)} lines -> {OUT}")


if __name__ == "__main__":
    main()
