"""Mutation testing: put small faults into the code, one at a time, and count how many make a test fail.

``make mutants`` tests the packages and modules listed in ``TESTS``. It fails if tests detect less than 85 percent of
the faults in any module. Options:

* ``ONLY=delivery/health.py`` tests only this module, folder or package.
* ``SAMPLE=40`` tests this number of faults per module, and chooses the same faults each time.
* ``TESTS=tests/delivery`` runs only these tests, which gives a lower bound in less time.
* ``DB=postgresql`` runs the tests on this database, for code that doesn't run on SQLite.

Faults that can't be detected, because they don't change behaviour, are listed with reasons in
``tools/mutants_equivalent.toml``.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest
from mutant_operators import Mutant, mutants
from mutant_runner import Outcome, Result, Runner

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "crm_contact_guard"
EQUIVALENT = Path(__file__).with_name("mutants_equivalent.toml")
PASSES = 85.0
UNNOTICED = (Outcome.SURVIVED, Outcome.NOT_RUN)

#: Package, or module with its own tests → the tests that must detect its faults, including tests of its callers.
TESTS: dict[str, tuple[str, ...]] = {
    "permissions.py": (
        "tests/permissions",
        "tests/console/test_access.py",
        "tests/console/supervisor/test_noticed.py",
        "tests/console/employee/test_starting.py",
    ),
    "conversations/rights.py": ("tests/permissions", "tests/test_services_authorise.py"),
    "directory/rights.py": ("tests/permissions", "tests/test_services_authorise.py"),
    "privacy/rights.py": ("tests/permissions", "tests/test_services_authorise.py"),
    "gateway": (
        "tests/test_gateway.py",
        "tests/test_sending.py",
        "tests/test_receiving.py",
        "tests/sending",
        "tests/delivery",
        "tests/files",
        "tests/flows",
        "tests/policy",
        "tests/supervision/test_inspection.py",
    ),
    "supervision": (
        "tests/supervision",
        "tests/permissions",
        "tests/console/supervisor",
        "tests/hosting/test_retrying.py",
        "tests/test_sending.py",
        "tests/flows",
        "tests/files/test_attachments.py",
    ),
    "policy": (
        "tests/policy",
        "tests/privacy",
        "tests/test_gateway.py",
        "tests/test_sending.py",
        "tests/supervision/test_inspection.py",
        "tests/directory/test_tenants.py",
        "tests/docs/test_named.py",
    ),
    "delivery": (
        "tests/delivery",
        "tests/sending",
        "tests/test_gateway.py",
        "tests/test_sending.py",
        "tests/test_tasks.py",
        "tests/policy/test_templates.py",
        "tests/privacy",
    ),
    "record": ("tests/record", "tests/verification", "tests/console/test_views_recorded.py"),
    "files": (
        "tests/files",
        "tests/policy/test_channel_limits.py",
        "tests/hosting/test_retrying.py",
        "tests/api/test_files.py",
        "tests/console/conversation/test_files.py",
    ),
}
#: How columns follow from events: verification compares them.
TESTS |= {str(path.relative_to(PACKAGE)): ("tests/verification",) for path in sorted(PACKAGE.rglob("follows.py"))}
TESTS["delivery/outcome.py"] = ("tests/verification", "tests/delivery")


def modules_of(only: str) -> dict[str, list[Path]]:
    """Map each key of ``TESTS`` to its modules. ``only`` restricts them to a key, folder or module; "" doesn't.

    Raise SystemExit if ``only`` is anything else.
    """
    alone = {PACKAGE / room for room in TESTS if room.endswith(".py")}
    within = {
        room: {PACKAGE / room} if room.endswith(".py") else {*(PACKAGE / room).rglob("*.py")} - alone for room in TESTS
    }
    wanted = (PACKAGE / only).resolve()
    found = {
        room: sorted(path for path in paths if only in ("", room) or path.is_relative_to(wanted))
        for room, paths in within.items()
    }
    chosen = {room: paths for room, paths in found.items() if paths}
    if not chosen:
        raise SystemExit(f"{only!r} is none of the rooms {', '.join(TESTS)}, and no module of one")
    return chosen


def equivalents() -> dict[tuple[str, str, str], str]:
    """Map (module, original line, changed line) to the reason why the change can't be detected."""
    if not EQUIVALENT.exists():
        return {}
    entries = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8")).get("equivalent", [])
    return {(entry["module"], entry["was"], entry["now"]): entry["why"] for entry in entries}


def name_of(mutant: Mutant) -> str:
    return str(mutant.module.relative_to(PACKAGE))


def chosen_mutants(path: Path, sample: int, known: dict[tuple[str, str, str], str]) -> list[Mutant]:
    """Return ``sample`` of the module's mutants (0: all), without those known not to change behaviour."""
    found = [one for one in mutants(path) if (name_of(one), one.was, one.now) not in known]
    if sample and len(found) > sample:
        drawn = set(random.Random(path.name).sample(range(len(found)), sample))  # noqa: S311 - not a secret
        return [one for place, one in enumerate(found) if place in drawn]
    return found


def told(result: Result) -> str:
    mutant = result.mutant
    head = f"{name_of(mutant)}:{mutant.first} {mutant.operator}, {result.outcome.value} {result.by}".rstrip()
    return f"{head}\n    - {mutant.was}\n    + {mutant.now}"


def report(results: Sequence[Result]) -> bool:
    """Print the score of each module. Return whether every module passes."""
    passes = True
    for module in sorted({name_of(result.mutant) for result in results}):
        own = [result for result in results if name_of(result.mutant) == module]
        noticed = sum(result.outcome not in UNNOTICED for result in own)
        score = 100 * noticed / len(own)
        passes = passes and score >= PASSES
        print(f"{module}: {score:.1f} % ({noticed} of {len(own)} noticed)")
    return passes


def room(paths: Sequence[Path], tests: Sequence[str], sample: int, verbose: bool) -> int:
    """Run the mutants of one package or module in this process, and return the exit code.

    0: all modules pass. 1: a module fails. 2: tests fail without any mutant.
    """
    known = equivalents()
    todo = [mutant for path in paths for mutant in chosen_mutants(path, sample, known)]
    if not todo:
        print(f"{', '.join(str(path.relative_to(PACKAGE)) for path in paths)}: nothing to change")
        return 0

    def tell(number: int, result: Result) -> None:
        if verbose or result.outcome in UNNOTICED:
            print(f"{number}/{len(todo)} {told(result)}", flush=True)

    runner = Runner(todo, tell)
    code = pytest.main(["-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:randomly", *tests], plugins=[runner])
    if runner.failed or len(runner.results) != len(todo):
        print("These fail without any fault:", *runner.failed, f"pytest: {code}", sep="\n  ")
        return 2
    return 0 if report(runner.results) else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="?", default="", help="a room or module, such as delivery/health.py")
    parser.add_argument("--sample", type=int, default=0, help="how many faults a module; 0 for all")
    parser.add_argument("--tests", nargs="+", help="only these; what they notice, the room's own do as well")
    parser.add_argument("--verbose", action="store_true", help="also what was noticed, and by which test")
    given = parser.parse_args()
    if given.tests and not given.only:
        parser.error("--tests goes with a room or module")
    chosen = modules_of(given.only)
    if len(chosen) == 1:
        [(name, paths)] = chosen.items()
        return room(paths, given.tests or TESTS[name], given.sample, given.verbose)
    # Use one process per package, since pytest and Django are designed for one run per process.
    more = [f"--sample={given.sample}", *(["--verbose"] if given.verbose else [])]
    command = [sys.executable, __file__]
    return max(subprocess.run([*command, name, *more], cwd=ROOT, check=False).returncode for name in chosen)


if __name__ == "__main__":
    sys.exit(main())
