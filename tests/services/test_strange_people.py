"""Customers however the host keeps them, on PostgreSQL, where a text is no UUID and no number."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator

import psycopg
import pytest

from tests.service_urls import POSTGRESQL
from tests.strange_people.settings import WAYS
from tests.test_strange_people import live

NAME = "contact_guard_people"


@pytest.fixture
def empty() -> Iterator[str]:
    with psycopg.connect(POSTGRESQL, autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {NAME}")
        yield urllib.parse.urlsplit(POSTGRESQL)._replace(path=f"/{NAME}").geturl()
        server.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")


@pytest.mark.parametrize("way", WAYS)
def test_customers_however_they_are_kept(way: str, empty: str, request: pytest.FixtureRequest) -> None:
    live(request.config.rootpath, way, PEOPLE_DATABASE_URL=empty)
