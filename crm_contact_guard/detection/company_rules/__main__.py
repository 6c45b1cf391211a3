"""Command line: ``python -m crm_contact_guard.detection.company_rules lint FILE`` reports invalid lines.

``… dry-run FILE < messages.jsonl`` lists what the rules in FILE would have matched.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator

from crm_contact_guard.detection.company_rules.file import CompanyFileError
from crm_contact_guard.detection.company_rules.lint import lint
from crm_contact_guard.detection.company_rules.rules import PREFIX, dry_run, load
from crm_contact_guard.detection.types import Direction


def _messages(lines: Iterable[bytes]) -> Iterator[tuple[Direction, str]]:
    for number, raw in enumerate(lines, 1):
        if not raw.strip():
            continue
        try:
            line = json.loads(raw)
            for message in line.get("messages", [line]):
                yield Direction(message["direction"]), str(message["text"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CompanyFileError(f"standard input, line {number}: {error!r}") from error


def main(argv: list[str] | None = None) -> int:
    """Run the command. Return 0 on success, 1 if the file has problems, 2 for wrong usage or unreadable messages."""
    parser = argparse.ArgumentParser(
        prog="python -m crm_contact_guard.detection.company_rules", description="Check a company's own words and rules."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("lint", help="say which line of FILE is wrong").add_argument("file")
    commands.add_parser(
        "dry-run", help="list what FILE would have hit in the messages (JSONL) on standard input"
    ).add_argument("file")
    options = parser.parse_args(argv)
    problems = lint(options.file)
    for problem in problems:
        sys.stdout.write(f"{options.file}:{problem.line}: {problem.message}\n")
    if problems or options.command == "lint":
        return 1 if problems else 0
    rules = load(options.file)
    try:
        texts = list(_messages(sys.stdin.buffer))
    except CompanyFileError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    hits = dry_run(rules, texts)
    for hit in hits:
        line = {"message": hit.number, "detector": hit.detector, "start": hit.start, "end": hit.end, "text": hit.text}
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    counts = Counter(hit.detector for hit in hits)
    names = [f"{PREFIX}{rule.id}" for rule in rules.rules] + [f"{PREFIX}words.{kind}" for kind in rules.own_words]
    for name in names:
        sys.stderr.write(f"{name}: {counts[name]} hits in {len(texts)} messages\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
