"""Virtual environments with a living host CRM in each, kept below ``.venv/hosts`` so that repeated runs are quick.

Only what the host and the wheel depend on is kept; the wheel itself is installed anew by each test, by the command a
reader would type.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".venv" / "hosts"
#: The oldest Python that Django 6.0 runs on, and with it the hosts of today.
OLDEST = (3, 12)


@dataclass(frozen=True)
class Environment:
    """A virtual environment that has all but the package under test, and where its wheel lies."""

    folder: Path
    wheel: Path

    @property
    def variables(self) -> Mapping[str, str]:
        """What a shell has in which this environment is active, and in which ``pip`` finds our wheel alone."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("DJANGO_", "PYTHON", "TEST_", "PIP_", "DEMO_", "COV_"))
        }
        return {
            **kept,
            "VIRTUAL_ENV": str(self.folder),
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{kept['PATH']}",
            "PIP_FIND_LINKS": str(self.wheel.parent),
            "PIP_NO_INDEX": "1",
            "PIP_PRE": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_ROOT_USER_ACTION": "ignore",
            "PYTHONWARNINGS": "ignore",
        }


def wheel(folder: Path) -> Path:
    """Build the wheel as ``make package`` does, and return its file."""
    _run([sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)], cwd=ROOT)
    return next(folder.glob("*.whl"))


def environment(host: Path, built: Path) -> Environment:
    """The environment of ``host`` (a folder with requirements.txt), made when it or our own dependencies changed."""
    python = _python()
    requirements = host / "requirements.txt"
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    key = hashlib.sha256("\n".join([python, *ours, requirements.read_text(encoding="utf-8")]).encode()).hexdigest()
    folder = CACHE / host.name
    made = folder / "made-from"
    if not made.exists() or made.read_text() != key:
        shutil.rmtree(folder, ignore_errors=True)
        _run([python, "-m", "venv", str(folder)])
        uv, inner = str(Path(sys.executable).with_name("uv")), str(folder / "bin" / "python")
        wanted = ["-r", str(requirements), f"crm-contact-guard[postgresql] @ {built.as_uri()}"]
        _run([uv, "pip", "install", "--quiet", "--python", inner, *wanted])
        made.write_text(key)
    found = Environment(folder, built)
    _run([str(folder / "bin" / "python"), "-m", "pip", "--quiet", "uninstall", "--yes", "crm-contact-guard"])
    return found


def _python() -> str:
    """A Python that is new enough, with its venv module; the tests' own when it is."""
    names = [f"python3.{minor}" for minor in (13, 12, 14)]
    for name in [sys.executable, *names] if sys.version_info >= OLDEST else names:
        asked = "import ensurepip, venv, sys; print(sys.version_info >= (3, 12))"
        # A name on PATH may be a shim that runs nothing, so each candidate has to prove itself.
        try:
            said = subprocess.run([name, "-c", asked], capture_output=True, text=True, check=False)
        except FileNotFoundError:
            continue
        if said.stdout.strip() == "True":
            return shutil.which(name) or name
    raise RuntimeError("The hosts need Python 3.12 or newer with its venv module (Debian: python3, python3-venv)")


def _run(command: list[str], cwd: Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
