"""What every test stands on: which tests are collected, and how a database with append-only tables is emptied."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.db import connections
from django.test import TransactionTestCase

from crm_contact_guard.channels.memory import MemoryChannel
from tests.clock import Clock

# How long an example takes says how loaded the machine is.
hypothesis.settings.register_profile("untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("untimed")

SQLITE = "django.db.backends.sqlite3"
SERVICES = Path(__file__).parent / "services"
HOSTS = Path(__file__).parent / "hosts"
#: What runs the same whichever database the tests have: it needs none, brings its own, or asks for people's rights,
#: which Python decides.
ALIKE = {
    Path(__file__).parent / name
    for name in (
        "databases",
        "demo",
        "detection",
        "docs",
        "supervision/handling/test_matrix.py",
        "test_architecture.py",
        "test_services_authorise.py",
        "test_strange_hosts.py",
        "test_vendor.py",
    )
}

#: Fixtures by which a test asks for a database without the mark.
_DATABASE = {"db", "transactional_db", "django_db_reset_sequences", "django_db_serialized_rollback", "live_server"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--services",
        action="store_true",
        help="also collect tests/services, which need PostgreSQL, MariaDB, Redis, RabbitMQ and Chromium",
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
    if collection_path in ALIKE and settings.DATABASES["default"]["ENGINE"] != SQLITE:
        return True
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if settings.DATABASES["default"]["ENGINE"] != SQLITE and not config.getoption("--services"):
        alike = [item for item in items if not _asks_database(item)]
        config.hook.pytest_deselected(items=alike)
        items[:] = [item for item in items if _asks_database(item)]
    for item in items:
        if item.path.is_relative_to(SERVICES):
            item.add_marker(pytest.mark.services)
        if item.path.is_relative_to(SERVICES / "browser"):
            item.add_marker(pytest.mark.browser)
        if item.path.is_relative_to(HOSTS):
            item.add_marker(pytest.mark.hosts)


def _asks_database(item: pytest.Item) -> bool:
    """Whether a test may come out differently on another database."""
    return item.get_closest_marker("django_db") is not None or bool(_DATABASE.intersection(item.fixturenames))  # type: ignore[attr-defined]


@pytest.fixture(autouse=True, scope="session")
def _flush_past_the_triggers() -> Iterator[None]:
    """Let ``transaction=True`` tests empty the recorded tables, whose triggers rightly refuse that.

    Django empties all tables after such a test. The triggers are away for that moment only, and back before the next
    test starts.
    """
    from crm_contact_guard.record import triggers

    flush = TransactionTestCase._fixture_teardown

    def flush_without_triggers(self: TransactionTestCase, *args: Any, **kwargs: Any) -> None:
        used = [connections[alias] for alias in self._databases_names(include_mirrors=False)]
        for connection in used:
            triggers.remove(connection)
        try:
            flush(self, *args, **kwargs)
        finally:
            for connection in used:
                triggers.install(connection)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", flush_without_triggers)
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
