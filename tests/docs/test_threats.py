"""Each threat names tests that exist."""

from __future__ import annotations

import re

from tests.docs.pages import ROOT

PAGE = ROOT / "docs/threats.md"


def test_each_threat_has_a_test() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    threats = [row for row in rows if not row.startswith(("| Threat", "| ---"))]
    missing = []
    for row in threats:
        named = re.findall(r"`([\w/.]+)(?:::(\w+))?`", row.rsplit("|", 2)[1])
        assert named, row
        for file, test in named:
            path = ROOT / "tests" / file
            if not path.exists() or (test and f"def {test}(" not in path.read_text(encoding="utf-8")):
                missing.append(f"{file}::{test}")

    assert len(threats) > 25
    assert not missing
