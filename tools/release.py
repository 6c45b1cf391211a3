"""Build the wheel and the sdist of the last commit twice, in two places, and keep them only if both are identical.

The source is ``git archive HEAD``, so that uncommitted files can't get into a release. Times in the archives are
the time of the commit (``SOURCE_DATE_EPOCH``, https://reproducible-builds.org/specs/source-date-epoch/).
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
#: Licence files in the wheel's metadata.
LICENCES = ("licenses/LICENSE", "licenses/crm_contact_guard/static/crm_contact_guard/vendor/LICENSES.md")


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout


def build(place: Path, source: bytes, epoch: str) -> dict[str, Path]:
    """Unpack the commit in ``place`` and build it there. Return a dict of file names to paths."""
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


def faults(path: Path, committed: set[str]) -> list[str]:
    """Return errors for missing and superfluous files, and for relative links in the description.

    A wheel must contain the committed package, and an sdist the whole commit.
    """
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            names = set(wheel.namelist())
            [metadata] = [name for name in names if name.endswith(".dist-info/METADATA")]
            description = wheel.read(metadata).decode()
        folder = metadata.removesuffix("METADATA")
        messages = [
            f"{path.name}: its description links to {link}"
            for link in re.findall(r"\]\((?!https?:)[^)]*\)", description)
        ]
        messages += [f"{path.name}: lacks {end}" for end in LICENCES if folder + end not in names]
        names_in_archive = {name for name in names if not name.startswith(folder)}
        expected = {name for name in committed if name.startswith("crm_contact_guard/")}
    else:
        with tarfile.open(path) as sdist:
            names_in_archive = {member.name.partition("/")[2] for member in sdist.getmembers() if member.isfile()} - {
                "PKG-INFO"
            }
        expected, messages = committed, []
    messages += [f"{path.name}: lacks {name}" for name in sorted(expected - names_in_archive)]
    return messages + [f"{path.name}: should not hold {name}" for name in sorted(names_in_archive - expected)]


def main() -> None:
    licences = subprocess.run([sys.executable, str(ROOT / "tools" / "licences.py"), "check"], check=False)
    if licences.returncode:
        sys.exit(licences.returncode)
    if git("status", "--porcelain", "--", "docs/licences.md"):
        sys.exit("docs/licences.md has uncommitted changes: commit it first")
    committed = set(git("ls-tree", "-r", "-z", "--name-only", "HEAD").decode().split("\0")) - {""}
    source = git("archive", "--format=tar", "HEAD")
    epoch = git("log", "-1", "--format=%ct").decode().strip()
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory(prefix="elsewhere-") as two:
        first, second = build(Path(one), source, epoch), build(Path(two), source, epoch)
        for name, path in first.items():
            if name not in second or path.read_bytes() != second[name].read_bytes():
                sys.exit(f"{name}: two builds of one commit differ")
        problems = [fault for path in first.values() for fault in faults(path, committed)]
        if problems:
            sys.exit("\n".join(problems))
        DIST.mkdir(exist_ok=True)
        for name, path in sorted(first.items()):
            shutil.copyfile(path, DIST / name)
            print(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  dist/{name}")
    print(f"Reproducible: built twice from {git('rev-parse', '--short', 'HEAD').decode().strip()}, alike in every byte")


if __name__ == "__main__":
    main()
