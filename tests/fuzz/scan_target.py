"""Coverage-guided fuzzing of the detection: ``make fuzz``, or ``python -m tests.fuzz.scan_target -max_total_time=600``.

Bytes become text in the ways a carrier may hand them over (lone surrogates among them). A crash is anything that
raises, a failure that the engine caught (``engine.error``), or a span that lies outside of the text. Options are
libFuzzer's; inputs that crash are written to the working directory.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["crm_contact_guard.detection"]):
    from crm_contact_guard import detection
    from crm_contact_guard.detection import engine, threads  # noqa: F401 - loaded instrumented
    from crm_contact_guard.detection.harassment import finding as harassment  # noqa: F401
    from crm_contact_guard.detection.sensitive import finding as sensitive  # noqa: F401
    from crm_contact_guard.detection.types import Direction, Finding, ThreadMessage

SIDES = list(Direction)


def one(data: bytes) -> None:
    """Judge one text, alone and as a thread."""
    provider = atheris.FuzzedDataProvider(data)
    side = SIDES[provider.ConsumeIntInRange(0, len(SIDES) - 1)]
    text = provider.ConsumeUnicode(sys.maxsize)
    check(text, detection.scan(text, direction=side).findings)
    half = len(text) // 2
    said = [ThreadMessage(text[:half], Direction.INBOUND), ThreadMessage(text[half:], Direction.OUTBOUND, 1.0)]
    for finding in detection.read_thread(said).findings:
        check(said[finding.message or 0].text, [finding])


def check(text: str, findings: list[Finding] | tuple[Finding, ...]) -> None:
    """Raise what makes the fuzzer stop."""
    for finding in findings:
        if finding.detector == "engine.error":
            raise RuntimeError("the engine failed inside")
        if not 0 <= finding.start <= finding.end <= len(text):
            raise RuntimeError(f"span {finding.start}:{finding.end} of {finding.detector} outside of {len(text)}")


def main() -> None:
    """Fuzz until stopped."""
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
