"""A host by django-tenants, with the app shared by all companies, or in each one's schema."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator

import psycopg
import pytest

from tests.service_urls import POSTGRESQL

NAME = "contact_guard_schemas"


@pytest.fixture
def empty() -> Iterator[str]:
    with psycopg.connect(POSTGRESQL, autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {NAME}")
        yield urllib.parse.urlsplit(POSTGRESQL)._replace(path=f"/{NAME}").geturl()
        server.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")


@pytest.mark.parametrize("place", ["shared", "tenant"])
def test_two_companies_in_schemas_of_their_own(place: str, empty: str, request: pytest.FixtureRequest) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.services.schemas.life"],
        check=False,
        cwd=request.config.rootpath,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.services.schemas.settings",
            "SCHEMAS_DATABASE_URL": empty,
            "SCHEMAS_PLACE": place,
        },
        capture_output=True,
        text=True,
    )

    assert done.stdout.splitlines()[-1:] == ["well"], done.stderr[-4000:]
