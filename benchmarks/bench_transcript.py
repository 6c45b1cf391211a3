"""Seconds and size of a PDF transcript of 500 messages, and whether its text layer has all of their texts.

    python benchmarks/bench_transcript.py [--messages 500]

Limit: 10 s. Needs the extra ``pdf`` and a Japanese font. The time includes starting the process that writes the file.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
TEXTS = (
    "明日の朝食は7時からご用意しております。ご不明な点がございましたらフロントまでお申し付けください。",
    "先日お願いした見積書の件ですが、来週の火曜日までにお送りいただけますでしょうか。葛󠄀城の𠮷野家で。",
    "Your room will be ready from three o'clock.",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=500)
    count = parser.parse_args().messages
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()
    import pypdf

    from crm_contact_guard.exports.formats import transcripts
    from crm_contact_guard.exports.formats.base import Cuts, Rows
    from tests.exports.test_formats import key, line

    texts = [f"{at}: {TEXTS[at % len(TEXTS)]}" for at in range(count)]
    lines = {
        "message": [line("message", at, text=text, from_name="佐藤花子") for at, text in enumerate(texts)],
        "event": [line("event", count + at, kind="delivery.read", message=key(at)) for at in range(count)],
    }
    began = time.perf_counter()
    with Rows(lambda kind: iter(lines[kind])) as rows:
        made = [(file.name, b"".join(file.chunks)) for file in transcripts.files(rows, Cuts())]
    seconds = time.perf_counter() - began
    pages = [page.extract_text() for _, data in made for page in pypdf.PdfReader(BytesIO(data)).pages]
    shown = re.sub(r"[\s\u200b]+", "", "".join(pages))
    missing = sum(re.sub(r"\s+", "", text) not in shown for text in texts)
    size = sum(len(data) for _, data in made)
    print(
        f"{count} messages, {len(pages)} pages, {size / 1e3:,.0f} kB: {seconds:.1f} s; {missing} texts not found in it"
    )


if __name__ == "__main__":
    main()
