"""What every test stands on: which tests are collected, and how a database with append-only tables is emptied."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.test import TransactionTestCase

from crm_contact_guard.channels.memory import MemoryChannel
from tests import other_databases
from tests.clock import Clock
from tests.emptying import empties

# How long an example takes says how loaded the machine is.
hypothesis.settings.register_profile("untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("untimed")

TESTS = Path(__file__).parent
SERVICES = TESTS / "services"
HOSTS = TESTS / "hosts"
#: The vendor of the tests' database.
VENDOR = settings.DATABASES["default"]["ENGINE"].rpartition(".")[2].removesuffix("3")
#: Fixtures by which a test asks for a database without the mark.
_DATABASE = {"db", "transactional_db", "django_db_reset_sequences", "django_db_serialized_rollback", "live_server"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--services",
        action="store_true",
        help="also collect tests/services, which need PostgreSQL, MariaDB, Redis, RabbitMQ and Chromium",
    )
    parser.addoption(
        "--slice",
        action="store_true",
        help="leave out what is marked beyond_slice, and on PostgreSQL and MariaDB what tests/other_databases.py says",
    )
    parser.addoption(
        "--hosts",
        action="store_true",
        help="also collect tests/hosts, which install the wheel into living CRMs from PyPI; need PostgreSQL",
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    # Left out rather than skipped: `make test` promises to run all it shows.
    if collection_path == SERVICES and not config.getoption("--services"):
        return True
    if collection_path == HOSTS and not config.getoption("--hosts"):
        return True
    if VENDOR != "sqlite" and TESTS in collection_path.parents:
        path, in_slice = collection_path.relative_to(TESTS).as_posix(), config.getoption("--slice")
        return other_databases.leaves_out(path, VENDOR, in_slice=in_slice) or None
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--slice"):
        _keep(config, items, {item.nodeid for item in items if item.get_closest_marker("beyond_slice") is None})
    if VENDOR != "sqlite" and not config.getoption("--services"):
        _keep(config, items, {item.nodeid for item in items if _asks_database(item)})
        if config.getoption("--slice"):
            _keep(config, items, other_databases.chosen([item.nodeid for item in items], VENDOR))
    for item in items:
        place = item.nodeid.removeprefix("tests/")
        if place.startswith("services/"):
            item.add_marker(pytest.mark.services)
        if place.startswith("services/browser/"):
            item.add_marker(pytest.mark.browser)
        if place.startswith("hosts/"):
            item.add_marker(pytest.mark.hosts)


def _keep(config: pytest.Config, items: list[pytest.Item], wanted: set[str]) -> None:
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in wanted])
    items[:] = [item for item in items if item.nodeid in wanted]


def _asks_database(item: pytest.Item) -> bool:
    """Whether a test may come out differently on another database."""
    return item.get_closest_marker("django_db") is not None or bool(_DATABASE.intersection(item.fixturenames))  # type: ignore[attr-defined]


@pytest.fixture(autouse=True, scope="session")
def _emptied_past_the_triggers() -> Iterator[None]:
    """Let ``transaction=True`` tests empty the recorded tables, whose triggers rightly refuse that."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empties)
        yield


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Stops the time; the test moves it."""
    return Clock(monkeypatch)


@pytest.fixture(autouse=True)
def _policy_read_anew() -> Iterator[None]:
    """A process reuses the rules in force for a second; the next test has another database."""
    yield
    from crm_contact_guard.policy.versions import current

    current.forget()


@pytest.fixture(autouse=True)
def _nothing_sent() -> Iterator[None]:
    """What one test sends by the channel in memory is none of the next one's."""
    yield
    MemoryChannel.sent.clear()
    MemoryChannel.errors.clear()


@pytest.fixture
def clerk(db: None) -> Any:
    """Aoi, an employee whose supervisor is Sora."""
    from tests import factories  # models load when Django is set up

    return factories.employee("aoi", branch=factories.team(head="sora"))
