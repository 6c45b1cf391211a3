"""Talk about nothing, so that the ranker knows what most of the world's sentences look like.

``python -m training.smalltalk`` writes ``data/smalltalk.jsonl`` from chatterbot-corpus (BSD-3-Clause, PyPI): of the
English utterances that half whose checksum is even, of the Japanese all. The odd English half is never trained on and is
what ``evaluate`` reports as unseen.
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path

OUT = Path(__file__).parent / "data" / "smalltalk.jsonl"
#: Longer utterances are listings of code, which no customer sends.
LONGEST = 300


def utterances(language: str) -> list[str]:
    """Different utterances of one language in the installed corpus, in the order of its files."""
    import chatterbot_corpus
    import yaml

    found: dict[str, None] = {}
    for path in sorted((Path(chatterbot_corpus.__file__).parent / "data" / language).glob("*.yml")):
        for talk in yaml.safe_load(path.read_text("utf-8"))["conversations"]:
            found.update(dict.fromkeys(str(utterance) for utterance in talk))
    return list(found)


def trained(text: str) -> bool:
    """Whether an English utterance is of the half that training may read."""
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
