"""Build wheel and sdist of the last commit twice, in two places, and keep them only when both are byte for byte alike.

Built from ``git archive HEAD``: what lies uncommitted in the working tree can't get into a release. Times in the
archives are those of the commit (``SOURCE_DATE_EPOCH``, https://reproducible-builds.org/specs/source-date-epoch/).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
#: Without these, what is installed is not typed, or not licensed, or not translated.
NEEDED = ("crm_contact_guard/py.typed", "licenses/LICENSE", "crm_contact_guard/locale/ja/LC_MESSAGES/django.mo")


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout


def build(place: Path, source: bytes, epoch: str) -> dict[str, Path]:
    """Unpack the commit in ``place`` and build it there; file name → path."""
    subprocess.run(["tar", "--extract"], cwd=place, input=source, check=True)
    built = place / "built"
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--directory", str(built)],
        cwd=place,
        env={**os.environ, "SOURCE_DATE_EPOCH": epoch},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return {path.name: path for path in built.iterdir()}


def main() -> None:
    if git("status", "--porcelain", "--", "docs/licences.md"):
        sys.exit("docs/licences.md is not committed as it is now: commit it first")
    source = git("archive", "--format=tar", "HEAD")
    epoch = git("log", "-1", "--format=%ct").decode().strip()
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory(prefix="elsewhere-") as two:
        first, second = build(Path(one), source, epoch), build(Path(two), source, epoch)
        for name, path in first.items():
            if name not in second or path.read_bytes() != second[name].read_bytes():
                sys.exit(f"{name}: two builds of one commit differ")
        wheel = next(path for name, path in first.items() if name.endswith(".whl"))
        with zipfile.ZipFile(wheel) as archive:
            lost = [end for end in NEEDED if not any(name.endswith(end) for name in archive.namelist())]
        if lost:
            sys.exit(f"{wheel.name} lacks {', '.join(lost)}")
        DIST.mkdir(exist_ok=True)
        for name, path in sorted(first.items()):
            shutil.copyfile(path, DIST / name)
            print(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  dist/{name}")
    print(f"Reproducible: built twice from {git('rev-parse', '--short', 'HEAD').decode().strip()}, alike in every byte")


if __name__ == "__main__":
    main()
