"""Command line: ``python -m crm_contact_guard.policy --jsonl [--explain]``.

``--jsonl`` reads one case of working time per line from standard input and writes one answer per line in the same
order. An invalid line is reported on standard error with the path of its bad value; the others are processed and the
exit status is 1. ``--explain`` says in words which rule decided: as text, or with ``--jsonl`` as key ``explain``.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any, TextIO

from crm_contact_guard.policy.working_time.case import BadCase, read, written
from crm_contact_guard.policy.working_time.explaining import explain


def main(arguments: list[str] | None = None, lines: TextIO = sys.stdin) -> int:
    """Answer the cases of ``lines``. Return the exit status, which is 1 if a line was invalid."""
    parser = argparse.ArgumentParser(prog="python -m crm_contact_guard.policy", description=__doc__)
    parser.add_argument("--jsonl", action="store_true", help="answers as JSON, one per line")
    parser.add_argument("--explain", action="store_true", help="say which rule decided")
    options = parser.parse_args(arguments)
    if not (options.jsonl or options.explain):
        parser.error("give --jsonl, --explain or both")
    status = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            print(_answered(json.loads(line), as_json=options.jsonl, explained=options.explain), flush=True)
        except (BadCase, json.JSONDecodeError, RecursionError) as error:
            print(f"line {number}: {error}", file=sys.stderr)
            status = 1
    return status


def _answered(value: Any, *, as_json: bool, explained: bool) -> str:
    case = read(value)
    if not as_json:
        return "\n".join([f"{value.get('id', '')}:", *(f"  {sentence}" for sentence in explain(case))])
    answer = {"id": value.get("id"), **written(case.answer())}
    return json.dumps(answer | {"explain": explain(case)} if explained else answer, ensure_ascii=False)


if __name__ == "__main__":
    raise SystemExit(main())
