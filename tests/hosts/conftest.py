"""The wheel, each host's environment, and a database for each test."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.hosts.environment import Environment, environment, wheel
from tests.service_urls import POSTGRESQL, database

HERE = Path(__file__).parent
#: What CI leaves out, since its time is dear: hosts on the database that tells less about them, and whole hosts.
BEYOND_SLICE = (
    "test_crm_admin.py::*postgresql*",
    "test_helpdesk.py::*sqlite*",
    "test_shop.py::*",
    "test_orgs.py::*",
    "test_creme.py::*",
    "test_members.py::*",
    "test_tokens.py::*postgresql*",
    "test_plain.py::*sqlite*",
)
NAME = "contact_guard_host"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        name = f"{item.path.name}::{item.name}"
        if any(fnmatch(name, pattern) for pattern in BEYOND_SLICE):
            item.add_marker(pytest.mark.beyond_slice)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def crm_admin(built: Path) -> Environment:
    """django-crm-admin."""
    return environment(HERE / "crm_admin", built)


@pytest.fixture(scope="session")
def helpdesk(built: Path) -> Environment:
    """django-helpdesk."""
    return environment(HERE / "desk", built)


@pytest.fixture(scope="session")
def shop(built: Path) -> Environment:
    """django-oscar."""
    return environment(HERE / "shop", built)


@pytest.fixture(scope="session")
def creme(built: Path) -> Environment:
    """Creme CRM."""
    return environment(HERE / "creme", built)


@pytest.fixture(scope="session")
def orgs(built: Path) -> Environment:
    """django-crm."""
    return environment(HERE / "orgs", built)


@pytest.fixture(scope="session")
def plain(built: Path) -> Environment:
    """A CRM without Django's own apps."""
    return environment(HERE / "plain", built)


@pytest.fixture(scope="session")
def members(built: Path) -> Environment:
    """byro."""
    return environment(HERE / "members", built)


@pytest.fixture(scope="session")
def tokens(built: Path) -> Environment:
    """A CRM on tenxyte."""
    return environment(HERE / "tokens", built)


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """What the host's project has as ``DATABASES``: an empty one of its own."""
    if request.param == "sqlite":
        yield {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "crm.sqlite3")}}
        return
    with psycopg.connect(POSTGRESQL, autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {NAME}")
        yield {"default": database(urllib.parse.urlsplit(POSTGRESQL)._replace(path=f"/{NAME}").geturl())}
        server.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
