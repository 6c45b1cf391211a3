"""The matrix: the built wheel and sdist on each Python × Django × database × broker, with the oldest and the newest
dependencies, and with no extras and each alone.

``make matrix`` runs all of it, ``make matrix-slice`` what CI takes, ``.venv/bin/nox --list`` names the cells. Of a
Python that this machine does not have, only what it would install is resolved. Tests run from the unpacked sdist, with
the package taken out of it, so that only what was built can be imported.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import tomllib
from pathlib import Path

import nox

ROOT = Path(__file__).parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
NAME = PROJECT["project"]["name"]
EXTRAS = PROJECT["project"]["optional-dependencies"]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
#: Django → the oldest Python it runs on.
DJANGOS = {"5.2": "3.10", "6.0": "3.12", "6.1": "3.12"}
#: What a Django wants newer than we do: the REST framework before it fails to import there.
WANTS = {"6.1": ["djangorestframework>=3.18"]}
DATABASES = {
    "sqlite": "tests.settings",
    "postgresql": "tests.settings_postgresql",
    "mariadb": "tests.settings_mariadb",
}
#: Each cell has the database drivers, and what the tests below touch.
CELL_EXTRAS = ("redis", "postgresql", "mysql", "images", "parquet", "pdf", "semantic", "twilio")
TEST_TOOLS = (
    "pytest>=8.3",
    "pytest-django>=4.9",
    "pytest-timeout>=2.3",
    "hypothesis>=6.112",
    "segno>=1.6",
    "jinja2>=3.1",
)
#: What meets Django, the databases and the dependencies; the suite as a whole runs on the locked versions.
CORE = (
    "tests/api",
    "tests/console",
    "tests/directory",
    "tests/exports",
    "tests/flows",
    "tests/installation",
    "tests/conversations",
    "tests/delivery",
    "tests/privacy",
    "tests/record",
    "tests/sealing",
    "tests/verification",
    "tests/policy",
    "tests/proof",
    "tests/supervision",
    "tests/upgrades",
    "tests/test_gateway.py",
    "tests/test_host_traps.py",
    "tests/test_tasks.py",
    "tests/intake/test_webhooks.py",
)
#: The same in little, for CI: a message's whole way, the record, the API, and a walk through an installation.
SLICE = (
    "tests/api/test_reading.py",
    "tests/api/test_sending.py",
    "tests/console/test_access.py",
    "tests/exports/test_bundle.py",
    "tests/flows/test_bad_input.py",
    "tests/flows/test_warning.py",
    "tests/installation/test_check.py",
    "tests/installation/test_init.py",
    "tests/sealing/test_sealing.py",
    "tests/record/test_triggers.py",
    "tests/policy/test_hours.py",
    "tests/upgrades/test_rules.py",
    "tests/test_gateway.py",
    "tests/test_tasks.py",
)

nox.options.default_venv_backend = "uv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["cell", "extra", "resolution"]


def interpreters() -> dict[str, str]:
    """Version → path of each Python here. A name on PATH may be a shim that runs nothing: each has to prove itself."""
    found = {}
    for version in PYTHONS:
        places = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}"))
        on_path = shutil.which(f"python{version}")
        for place in [f"/usr/bin/python{version}", *map(str, places), *([on_path] if on_path else [])]:
            asked = [place, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
            try:
                said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
            except OSError:
                continue
            if said == version:
                found[version] = place
                break
    return found


HERE = interpreters()


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def cells() -> list[object]:
    """Each Python × Django × {oldest, newest dependencies}; the two that CI takes bear the tag ``slice``."""
    pairs = [(py, dj) for py in HERE for dj, since in DJANGOS.items() if _number(py) >= _number(since)]
    in_slice = {(*pairs[0], "oldest"), (*pairs[-1], "newest")}
    return [
        nox.param(
            HERE[py], dj, end, id=f"python{py}-django{dj}-{end}", tags=["slice"] if (py, dj, end) in in_slice else []
        )
        for py, dj in pairs
        for end in ("oldest", "newest")
    ]


def built(session: nox.Session) -> tuple[Path, Path]:
    """Wheel and sdist of the working tree, built once a run."""
    folder = Path(os.environ.setdefault("CONTACT_GUARD_DIST", str(ROOT / ".nox" / f"dist-{os.getpid()}")))
    if not folder.exists():
        python = ROOT / ".venv" / "bin" / "python"
        session.run(str(python), "-m", "hatchling", "build", "--directory", str(folder), external=True, silent=True)
    return next(folder.glob("*.whl")), next(folder.glob("*.tar.gz"))


def unpacked(session: nox.Session, sdist: Path) -> Path:
    """The sdist's tests, docs and tools without the package itself."""
    place = Path(session.create_tmp()) / "sdist"
    shutil.rmtree(place, ignore_errors=True)
    with tarfile.open(sdist) as archive:
        archive.extractall(place, filter="data")
    source = next(place.iterdir())
    shutil.rmtree(source / "crm_contact_guard")
    return source


@nox.session
@nox.parametrize(["python", "django", "dependencies"], cells())
def cell(session: nox.Session, django: str, dependencies: str) -> None:
    """One cell on all databases and brokers; ``-- slice`` takes SQLite and the little core."""
    wheel, sdist = built(session)
    little = "slice" in session.posargs
    extras = [extra for extra in CELL_EXTRAS if not (little and extra == "mysql")]
    pins = Path(session.create_tmp()) / "pins.txt"
    oldest = dependencies == "oldest"
    wanted = pins.with_name("django.txt")
    wanted.write_text("\n".join([f"django~={django}.0", *WANTS.get(django, ())]))
    # The oldest of what we name ourselves; what those need in turn is as new as they allow.
    session.run(
        "uv", "pip", "compile", "--quiet", "--python", str(session.python), "pyproject.toml",
        "--constraint", str(wanted),
        *(word for extra in extras for word in ("--extra", extra)),
        "--resolution", "lowest-direct" if oldest else "highest", "--output-file", str(pins),
        external=True, silent=True,
    )  # fmt: skip
    session.install("--constraint", str(pins), f"{NAME}[{','.join(extras)}] @ {(sdist if oldest else wheel).as_uri()}")
    session.install("--constraint", str(pins), *TEST_TOOLS)
    source = unpacked(session, sdist)
    with session.chdir(source):
        # Old libraries warn of a future that has come; on the newest, a warning is an error, as everywhere.
        options = ["-q", "-p", "no:cacheprovider", *(["-W", "default"] if oldest else [])]
        for settings in ("tests.settings",) if little else DATABASES.values():
            session.run("python", "-m", "pytest", *options, "--ds", settings, *(SLICE if little else CORE))
        if not little:
            session.run("python", "-m", "pytest", *options, "--services", "tests/services/test_brokers.py")


@nox.session(tags=["slice"])
@nox.parametrize("extra", [nox.param(extra, id=extra or "none") for extra in ("", *EXTRAS)])
def extra(session: nox.Session, extra: str) -> None:
    """The wheel with no extra, or one alone: every module imports, carriers start or name what they lack."""
    wheel, sdist = built(session)
    # Installed on top of each other something could stay behind.
    session.run("uv", "pip", "sync", "--quiet", "--allow-empty-requirements", os.devnull, external=True)
    session.install(f"{NAME}{f'[{extra}]' if extra else ''} @ {wheel.as_uri()}")
    with session.chdir(unpacked(session, sdist)):
        session.run("python", "-W", "error::ImportWarning", "tools/import_all.py", *([extra] if extra else []))


@nox.session(venv_backend="none")
@nox.parametrize("version", [nox.param(version, id=version) for version in PYTHONS if version not in HERE])
def resolution(session: nox.Session, version: str) -> None:
    """What a Python that is not here would install: oldest and newest, all extras, with nothing to compile.

    mysqlclient is left out, since it has no wheels for Linux at all.
    """
    extras = [word for extra in EXTRAS if extra != "mysql" for word in ("--extra", extra)]
    for end in ("lowest-direct", "highest"):
        session.run(
            str(ROOT / ".venv/bin/uv"), "pip", "compile", "--quiet", "--python-version", version,
            "--python-platform", "x86_64-manylinux_2_28", "--only-binary", ":all:", "pyproject.toml", *extras,
            "--resolution", end, "--output-file", os.devnull,
            external=True, silent=True,
        )  # fmt: skip
