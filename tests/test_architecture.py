"""Rules of the house that no linter knows. The layers themselves are import-linter's (pyproject.toml)."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import other_databases

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "crm_contact_guard"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts)
MODULES_OF_A_FOLDER = 20
#: Django looks for commands in this folder alone, so they can't be divided.
COMMANDS = "crm_contact_guard/management/commands"
FILES_AT_THE_ROOT = 16
LINES_OF_A_MODULE = 300
CATCH_ALLS = {"utils", "util", "helpers", "helper", "common", "misc", "tools"}


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def test_channels_know_no_database() -> None:
    for path in (PACKAGE / "channels").rglob("*.py"):
        database = {name for name in imported(path) if f"{name}.".startswith(("django.db.", "django.contrib."))}
        assert not database, f"{path.relative_to(ROOT)} imports {sorted(database)}; a channel carries, others record"


def test_loggers_come_from_one_place() -> None:
    """There, what customers wrote is escaped."""
    asking = [
        str(path.relative_to(PACKAGE))
        for path in MODULES
        if "logging.getLogger(__name__)" in path.read_text() or "logger.Logger(" in path.read_text()
    ]
    assert asking == [], "crm_contact_guard.hosting.logs.logger gives loggers that escape values from outside"


def test_migrations_import_no_models_or_services() -> None:
    for path in (PACKAGE / "migrations").glob("0*.py"):
        own = {name for name in imported(path) if name.startswith("crm_contact_guard.") and ".models" in name}
        assert not own, f"{path.name} imports {sorted(own)}, whose code will change while the migration must not"


def test_transactions_name_their_database() -> None:
    """Our tables may lie elsewhere than in ``default``: crm_contact_guard.hosting.database knows where."""
    nameless = {path.relative_to(PACKAGE).as_posix(): list(_nameless_transactions(path)) for path in MODULES}
    assert not {name: lines for name, lines in nameless.items() if lines}
    assert not [path for path in MODULES if "django.db.connection" in imported(path)]


def _nameless_transactions(path: Path) -> Iterator[int]:
    source = path.read_text()
    nodes = list(ast.walk(ast.parse(source))) if "transaction." in source else []
    named = {
        id(call.func) for call in nodes if isinstance(call, ast.Call) if any(k.arg == "using" for k in call.keywords)
    }
    for node in nodes:
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "transaction" and id(node) not in named:
            yield node.lineno


@pytest.mark.parametrize("folder", ["crm_contact_guard", "demo_project", "tests"])
def test_no_module_is_a_catch_all(folder: str) -> None:
    found = [
        path for path in (ROOT / folder).rglob("*.py") if path.stem in CATCH_ALLS or path.parent.name in CATCH_ALLS
    ]
    assert not found


def test_modules_stay_short() -> None:
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in MODULES}
    assert not {name: length for name, length in lengths.items() if length > LINES_OF_A_MODULE}


def test_folders_stay_small_enough_to_find_something() -> None:
    modules = Counter(path.parent.relative_to(ROOT).as_posix() for path in MODULES if path.name != "__init__.py")
    assert not {
        folder: count for folder, count in modules.items() if count > MODULES_OF_A_FOLDER and folder != COMMANDS
    }
    assert len([path for path in PACKAGE.iterdir() if path.is_file()]) <= FILES_AT_THE_ROOT


def test_nothing_is_installed_beside_the_package() -> None:
    own = {path.name for folder in ("templates", "static") for path in (PACKAGE / folder).glob("*")}
    assert own <= {"crm_contact_guard"}, "templates and static files carry the app's name, or they clash with a host's"


def test_what_ci_leaves_out_on_other_databases_exists() -> None:
    for beyond, within in other_databases.SLICES.values():
        for one in other_databases.ALIKE | beyond | {name.partition("::")[0] for name in within}:
            assert (ROOT / "tests" / one).exists(), f"{one} is listed in tests/other_databases.py"
