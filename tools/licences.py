"""``docs/licences.md``: the licence of each package that ``pip install`` brings, by the packages' own metadata.

``write`` renews the page, ``check`` (part of ``make lint``) fails when it is not in step with what is installed.
Versions are those of ``requirements/dev.txt``, all that it locks for one Python or another, so that the page is the
same whichever Python writes it.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable
from difflib import ndiff
from importlib.metadata import PackageMetadata, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "licences.md"
LOCK = ROOT / "requirements" / "dev.txt"
HEAD = """# Licences

Written by `make licences` from the packages' own metadata; the versions are those that `requirements/dev.txt` locks.
What is vendored in the package itself, and why each of these was chosen: [dependencies](dependencies.md).

## Always

What `pip install crm-contact-guard` brings, directly or by way of another package.

| Package | Version | Licence |
|---|---|---|
"""
EXTRAS = """
## With extras

What extras bring besides. Left out are those that developers do not install ({missing}); the licence of each stands in
[dependencies](dependencies.md).

| Package | Version | Licence | Extra |
|---|---|---|---|
"""
_LOCKED = re.compile(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^]]*\])?==([^ ;\\]+)", re.MULTILINE)


def reached(wanted: Iterable[str]) -> dict[str, str]:
    """Name → licence of every package that these requirements lead to on this Python. Raises PackageNotFoundError."""
    waiting = [(Requirement(line), "") for line in wanted]
    seen: set[tuple[str, str]] = set()
    found: dict[str, str] = {}
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        for chosen in ("", *requirement.extras):
            if (name, chosen) in seen:
                continue
            seen.add((name, chosen))
            installed = distribution(name)
            found[name] = licence(installed.metadata)
            waiting += [(Requirement(line), chosen) for line in installed.requires or ()]
    return found


def licence(metadata: PackageMetadata) -> str:
    """The licence expression, else the classifiers' words, else the first line of the field."""
    # One spelling for the commonest: two versions of a package may differ in it.
    return _stated(metadata).replace("MIT License", "MIT")


def _stated(metadata: PackageMetadata) -> str:
    if expression := metadata.get_all("License-Expression"):
        return str(expression[0])
    classifiers = metadata.get_all("Classifier") or []
    classified = [line.rsplit(" :: ", 1)[-1] for line in classifiers if line.startswith("License ::")]
    told = [line for line in classified if line != "OSI Approved"]
    return ", ".join(told) or str((metadata.get_all("License") or ["not stated"])[0]).splitlines()[0]


def locked() -> dict[str, str]:
    """Name → the versions that the developers' lock names."""
    found: dict[str, list[str]] = {}
    for name, version in _LOCKED.findall(LOCK.read_text(encoding="utf-8")):
        found.setdefault(name, []).append(version)
    return {name: ", ".join(versions) for name, versions in found.items()}


def page(written: str) -> str:
    """The page as this Python sees it. Rows that only another Python leads to stay as long as they are locked."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    versions = locked()
    always = reached(project["dependencies"])
    extras: dict[str, tuple[str, set[str]]] = {}
    missing = []
    for extra, wanted in project["optional-dependencies"].items():
        try:
            brought = reached(wanted)
        except PackageNotFoundError:
            brought = {"": ""}
        # What one developer happens to have besides is not in everybody's report.
        if not brought.keys() <= versions.keys():
            missing.append(f"`{extra}`")
            continue
        for name in brought.keys() - always.keys():
            extras.setdefault(name, (brought[name], set()))[1].add(extra)
    first = {name: f"| {name} | {versions[name]} | {told} |\n" for name, told in always.items()}
    second = {
        name: f"| {name} | {versions[name]} | {told} | {', '.join(sorted(by))} |\n"
        for name, (told, by) in extras.items()
    }
    for row in re.findall(r"^\| .*\n", written, re.MULTILINE):
        name, version, *rest = row.strip("| \n").split(" | ")
        if versions.get(name) == version and name not in first | second:
            (first if len(rest) == 1 else second)[name] = row
    head, tail = HEAD, EXTRAS.format(missing=", ".join(missing))
    return (
        head + "".join(first[name] for name in sorted(first)) + tail + "".join(second[name] for name in sorted(second))
    )


def main() -> None:
    written = TARGET.read_text(encoding="utf-8") if TARGET.exists() else ""
    try:
        today = page(written)
    except PackageNotFoundError as error:
        sys.exit(f"{error.name} is not installed: make install")
    if sys.argv[1:] == ["write"]:
        TARGET.write_text(today, encoding="utf-8")
    elif sys.argv[1:] == ["check"]:
        if written != today:
            sys.exit("\n".join(["docs/licences.md is not in step: make licences", *differing(written, today)]))
    else:
        sys.exit("python tools/licences.py write|check")


def differing(written: str, today: str) -> list[str]:
    """The lines that differ."""
    return [line for line in ndiff(written.splitlines(), today.splitlines()) if line[0] in "+-"]


if __name__ == "__main__":
    main()
