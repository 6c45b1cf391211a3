"""Generate ``docs/licences.md``: the licence of each package that ``pip install`` installs, from package metadata.

``write`` updates the page; ``check`` (part of ``make lint``) fails if the page is out of date. The versions are those
locked in ``requirements/dev.txt`` for all versions of Python, so that the page is the same with each of them.
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

Written by `make licences` from the packages' metadata; the versions are those locked in `requirements/dev.txt`.
For vendored files, and the reasons for each dependency, see [dependencies](dependencies.md).

## Always

What `pip install crm-contact-guard` installs, directly or indirectly.

| Package | Version | Licence |
|---|---|---|
"""
EXTRAS = """
## With extras

What extras install in addition, except those that developers do not install ({missing}); for their licences see
[dependencies](dependencies.md).

| Package | Version | Licence | Extra |
|---|---|---|---|
"""
_LOCKED = re.compile(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^]]*\])?==([^ ;\\]+)", re.MULTILINE)


def reached(requirements: Iterable[str]) -> dict[str, str]:
    """Map each direct and indirect requirement on this Python to its licence. Raise PackageNotFoundError."""
    queue = [(Requirement(line), "") for line in requirements]
    seen: set[tuple[str, str]] = set()
    licences: dict[str, str] = {}
    while queue:
        requirement, extra = queue.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        for chosen in ("", *requirement.extras):
            if (name, chosen) in seen:
                continue
            seen.add((name, chosen))
            installed = distribution(name)
            licences[name] = licence(installed.metadata)
            queue += [(Requirement(line), chosen) for line in installed.requires or ()]
    return licences


def licence(metadata: PackageMetadata) -> str:
    """Return the licence expression, or else the classifiers, or else the first line of the licence field."""
    # Normalise the most common licence, since different versions of a package may spell it differently.
    return _stated(metadata).replace("MIT License", "MIT")


def _stated(metadata: PackageMetadata) -> str:
    if expression := metadata.get_all("License-Expression"):
        return str(expression[0])
    classifiers = metadata.get_all("Classifier") or []
    classified = [line.rsplit(" :: ", 1)[-1] for line in classifiers if line.startswith("License ::")]
    specific = [line for line in classified if line != "OSI Approved"]
    return ", ".join(specific) or str((metadata.get_all("License") or ["not stated"])[0]).splitlines()[0]


def locked() -> dict[str, str]:
    """Map the name of each package to its versions in the developers' lock file."""
    result: dict[str, list[str]] = {}
    for name, version in _LOCKED.findall(LOCK.read_text(encoding="utf-8")):
        result.setdefault(name, []).append(version)
    return {name: ", ".join(versions) for name, versions in result.items()}


def page(written: str) -> str:
    """Return the page. Rows for packages that only other versions of Python need are kept while these are locked."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    versions = locked()
    always = reached(project["dependencies"])
    extras: dict[str, tuple[str, set[str]]] = {}
    missing = []
    for extra, requirements in project["optional-dependencies"].items():
        try:
            installed = reached(requirements)
        except PackageNotFoundError:
            installed = {"": ""}
        # Leave out packages that aren't locked but that a developer happens to have installed.
        if not installed.keys() <= versions.keys():
            missing.append(f"`{extra}`")
            continue
        for name in installed.keys() - always.keys():
            extras.setdefault(name, (installed[name], set()))[1].add(extra)
    first = {name: f"| {name} | {versions[name]} | {licence_name} |\n" for name, licence_name in always.items()}
    second = {
        name: f"| {name} | {versions[name]} | {licence_name} | {', '.join(sorted(by))} |\n"
        for name, (licence_name, by) in extras.items()
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
    """Return the lines that differ."""
    return [line for line in ndiff(written.splitlines(), today.splitlines()) if line[0] in "+-"]


if __name__ == "__main__":
    main()
