"""``docs/licences.md``: the licence of each package that ``pip install`` brings, by the packages' own metadata.

``write`` renews the page, ``check`` (part of ``make lint``) fails when it is not in step with what is installed.
Versions are those of ``requirements/dev.txt``, all that it locks for one Python or another, so that the page is the
same whichever Python writes it.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
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


def page() -> str:
    """The page as this Python sees it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    versions = locked()
    always = reached(project["dependencies"])
    extras: dict[str, tuple[str, set[str]]] = {}
    missing = []
    for extra, wanted in project["optional-dependencies"].items():
        try:
            brought = reached(wanted)
        except PackageNotFoundError:
            missing.append(f"`{extra}`")
            continue
        for name in brought.keys() - always.keys():
            extras.setdefault(name, (brought[name], set()))[1].add(extra)
    rows = [f"| {name} | {versions[name]} | {told} |\n" for name, told in sorted(always.items())]
    more = [
        f"| {name} | {versions[name]} | {told} | {', '.join(sorted(by))} |\n"
        for name, (told, by) in sorted(extras.items())
    ]
    return HEAD + "".join(rows) + EXTRAS.format(missing=", ".join(missing)) + "".join(more)


def problems(written: str, today: str, versions: Mapping[str, str]) -> list[str]:
    """Where the page is not in step. A row that only another Python leads to may stand as long as it is locked."""
    old, new = set(written.splitlines()), set(today.splitlines())
    wrong = [f"missing: {line}" for line in sorted(new - old)]
    for line in sorted(old - new):
        name, _, rest = line.removeprefix("| ").partition(" | ")
        if not (line.startswith("| ") and rest.startswith(f"{versions.get(name)} |") and f"\n| {name} | " not in today):
            wrong.append(f"no longer so: {line}")
    return wrong


def main() -> None:
    try:
        today = page()
    except PackageNotFoundError as error:
        sys.exit(f"{error.name} is not installed: make install")
    written = TARGET.read_text(encoding="utf-8") if TARGET.exists() else ""
    wrong = problems(written, today, locked())
    if sys.argv[1:] == ["write"]:
        if wrong:
            TARGET.write_text(today, encoding="utf-8")
    elif sys.argv[1:] == ["check"]:
        if wrong:
            sys.exit("\n".join(["docs/licences.md is not in step: make licences", *wrong]))
    else:
        sys.exit("python tools/licences.py write|check")


if __name__ == "__main__":
    main()
