"""Write ``docs/licences.md``: the licence of each package that a plain ``pip install`` brings, by its metadata."""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import PackageMetadata, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "licences.md"
HEAD = """# Licences

What `pip install crm-contact-guard` without extras brings, directly or by way of another package, in the versions that
`requirements/dev.txt` locks. Written by `make licences` from the packages' own metadata.

| Package | Version | Licence |
|---|---|---|
"""


def runtime() -> dict[str, tuple[str, str]]:
    """Name → version and licence of every package that the project's own dependencies lead to."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    waiting = [Requirement(line) for line in project["dependencies"]]
    found: dict[str, tuple[str, str]] = {}
    while waiting:
        wanted = waiting.pop()
        name = re.sub(r"[-_.]+", "-", wanted.name).lower()
        if name in found or (wanted.marker is not None and not wanted.marker.evaluate({"extra": ""})):
            continue
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            sys.exit(f"{name} is not installed: make install")
        found[name] = (installed.version, _licence(installed.metadata))
        waiting += [Requirement(line) for line in installed.requires or ()]
    return found


def _licence(metadata: PackageMetadata) -> str:
    if expression := metadata.get_all("License-Expression"):
        return str(expression[0])
    classifiers = metadata.get_all("Classifier") or []
    classified = [line.rsplit(" :: ", 1)[-1] for line in classifiers if line.startswith("License ::")]
    told = [line for line in classified if line != "OSI Approved"]
    return ", ".join(told) or str((metadata.get_all("License") or ["not stated"])[0]).splitlines()[0]


def main() -> None:
    rows = (f"| {name} | {version} | {licence} |\n" for name, (version, licence) in sorted(runtime().items()))
    TARGET.write_text(HEAD + "".join(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
