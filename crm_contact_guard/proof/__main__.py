"""``python -m crm_contact_guard.proof BUNDLE``: verify a bundle, without a database and without Django."""

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path

from .bundle import Report, printable, verify_bundle
from .errors import KeyMalformed
from .notes import VerifierKey, parse_keys

_SHOWN = 100


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Return the exit code: 0 for no faults, 1 for faults, 2 for wrong arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m crm_contact_guard.proof",
        description="Check that a bundle is what was sealed: nothing altered, removed, swapped or added.",
        epilog="Exit code: 0 no fault, 1 faults, 2 wrong arguments.",
    )
    parser.add_argument("bundle", type=Path, help="the zip")
    parser.add_argument(
        "--public-key",
        type=Path,
        metavar="FILE",
        help="the record's verifier keys, from a source other than the bundle",
    )
    parser.add_argument("--since", type=Path, metavar="CHECKPOINT", help="an older signed checkpoint that you have")
    options = parser.parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A bundle may contain characters that the console's encoding lacks.
            stream.reconfigure(errors="backslashreplace")
    pinned: list[VerifierKey] = []
    since = None
    try:
        if options.public_key is not None:
            pinned = parse_keys(options.public_key.read_text("utf-8"))
        if options.since is not None:
            since = options.since.read_text("utf-8")
        file = options.bundle.open("rb")
    except (OSError, UnicodeDecodeError, KeyMalformed) as wrong:
        parser.error(str(wrong))
    with file:
        report = verify_bundle(file, pinned=pinned, since=since, progress=_progress)
    if sys.stderr.isatty():
        print(end="\r\033[K", file=sys.stderr)
    _print(report)
    return 0 if report.holds else 1


def _progress(leaves: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{leaves:,} leaves", end="", file=sys.stderr, flush=True)


def _print(report: Report) -> None:
    print(report.verdict)
    for fault in report.faults[:_SHOWN]:
        print(f"DOES NOT HOLD  {fault}")
    if report.fault_count > _SHOWN:
        print(f"DOES NOT HOLD  … and {report.fault_count - _SHOWN} more")
    if report.manifest is not None and report.checkpoint is not None:
        head = report.checkpoint
        print(f"record      {printable(head.origin)}, {head.size} leaves, root {head.root.hex()}")
        print(f"exported    {printable(report.manifest.created_at)}")
        messages, events = report.rows["message"], report.rows["event"]
        print(
            f"checked     {messages} messages and {events} events; {report.withheld} personal values withheld or erased"
        )
        if report.files_withheld:
            print(f"withheld    {report.files_withheld} files that the messages name")
        print(f"not in it   {report.hidden} leaves of the record")
        for name in report.unproven[:_SHOWN]:
            print(f"NOT PROVEN  {printable(name)}: signed with the bundle, but not covered by a leaf of the record")
    for key in report.signers:
        print(f"signed by   {printable(key.name)}, fingerprint {key.fingerprint}")
    if not report.pinned:
        print("NOT PINNED  the key came with the bundle: compare its fingerprint elsewhere, or use --public-key")
    if report.since is not None and report.holds:
        print(f"since       the record begins with the {report.since.size} leaves of your checkpoint, unchanged")


if __name__ == "__main__":
    sys.exit(main())
