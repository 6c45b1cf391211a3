"""Command line: ``python -m crm_contact_guard.detection --jsonl [--company FILE] [--semantic] [--explain TEXT]``.

``--jsonl`` reads one JSON object per line from standard input (with ``text`` and ``direction``, or ``messages``) and
writes one verdict per line in the same order. If a line is invalid, it is reported on standard error, the other lines
are processed, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from typing import Any, TextIO

from crm_contact_guard.detection import Direction, ThreadMessage, explain, read_thread, scan, semantic_available
from crm_contact_guard.detection.company_rules.file import CompanyFileError, read_company
from crm_contact_guard.detection.types import Company, Finding


def verdict(line: dict[str, Any], company: Company, *, semantic_stage: bool = False) -> dict[str, Any]:
    """Return the verdict for one input line. Raises ``ValueError`` or ``KeyError`` for an invalid line."""
    if "messages" in line:
        messages = [
            ThreadMessage(
                _text(message), Direction(message["direction"]), float(message.get("minutes_after_previous") or 0)
            )
            for message in line["messages"]
        ]
        thread = read_thread(messages, company=company, semantic_stage=semantic_stage)
        return {
            "id": line.get("id"),
            "attempt": thread.attempt,
            "tier": thread.tier,
            "by": thread.by,
            "stance": thread.stance,
            "at": thread.at,
            "findings": [_finding(finding, messages[finding.message or 0].text) for finding in thread.findings],
        }
    text = _text(line)
    single = scan(text, direction=Direction(line["direction"]), company=company, semantic_stage=semantic_stage)
    return {
        "id": line.get("id"),
        "attempt": single.attempt,
        "tier": single.tier,
        "by": single.by,
        "stance": single.stance,
        "at": None,
        "findings": [_finding(finding, text) for finding in single.findings],
    }


def _text(line: dict[str, Any]) -> str:
    text = line["text"]
    if not isinstance(text, str):
        raise ValueError("text is not a string")
    return text


def _finding(finding: Finding, text: str) -> dict[str, Any]:
    fields = {
        "kind": finding.kind,
        "start": finding.start,
        "end": finding.end,
        "text": text[finding.start : finding.end],
        "score": finding.score,
        "detector": finding.detector,
        "version": finding.version,
    }
    if finding.message is not None:
        fields["message"] = finding.message
    return fields


def answer(
    lines: Iterable[bytes], company: Company, out: TextIO, errors: TextIO, *, semantic_stage: bool = False
) -> int:
    """Write a verdict for each line, in order. Returns the number of invalid lines."""
    failed = 0
    for number, raw in enumerate(lines, 1):
        if not raw.strip():
            continue
        try:
            line = json.loads(raw.decode("utf-8"))
            if not isinstance(line, dict):
                raise ValueError("not a JSON object")
            output = json.dumps(verdict(line, company, semantic_stage=semantic_stage), ensure_ascii=False)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            failed += 1
            reason = f"missing key {error}" if isinstance(error, KeyError) else str(error)
            errors.write(f"line {number}: {reason}\n")
            continue
        try:
            out.write(output + "\n")
        except UnicodeEncodeError:  # lone surrogates can't be encoded as UTF-8: write JSON escapes
            out.write(json.dumps(json.loads(output)) + "\n")
    return failed


def main(argv: list[str] | None = None) -> int:
    """Run the command. Returns 0 if all lines were processed, 1 if one was invalid, 2 for wrong usage."""
    parser = argparse.ArgumentParser(
        prog="python -m crm_contact_guard.detection", description="Find attempts to leave the company's channels."
    )
    parser.add_argument(
        "--jsonl", action="store_true", help="read corpus lines from standard input, write verdict lines"
    )
    parser.add_argument("--company", metavar="FILE", help="the company's own contacts (TOML or JSON)")
    parser.add_argument("--explain", metavar="TEXT", help="print why TEXT is or is not an attempt")
    parser.add_argument(
        "--direction",
        choices=[d.value for d in Direction],
        default="outbound",
        help="who wrote TEXT (default: %(default)s)",
    )
    parser.add_argument(
        "--language", choices=["en", "ja"], default="en", help="language of the explanation (default: %(default)s)"
    )
    parser.add_argument("--semantic", action="store_true", help="also run the encoder (extra semantic)")
    options = parser.parse_args(argv)
    if not options.jsonl and options.explain is None:
        parser.error("--jsonl or --explain TEXT is required")
    if options.semantic and not semantic_available():
        print(
            "The extra is missing: pip install 'crm-contact-guard[semantic]'. Continuing without it.", file=sys.stderr
        )
    company = Company()
    if options.company:
        try:
            company = read_company(options.company)
        except CompanyFileError as error:
            print(error, file=sys.stderr)
            return 2
    if options.explain is not None:
        print(explain(options.explain, Direction(options.direction), options.language, semantic_stage=options.semantic))
        return 0
    failed = answer(sys.stdin.buffer, company, sys.stdout, sys.stderr, semantic_stage=options.semantic)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
