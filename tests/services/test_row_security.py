"""PostgreSQL's row security for real, and a site whose database role owns nothing, as docs/installation.md has it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import pytest

from tests.service_urls import POSTGRESQL

NAME, OWNER, SITE = "contact_guard_rows", "contact_guard_owner", "crm_site"
PAGE = Path(__file__).parents[2] / "docs" / "installation.md"


def url(role: str) -> str:
    parts = urllib.parse.urlsplit(POSTGRESQL)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{role}:secret@{host}", path=f"/{NAME}").geturl()


def python(root: Path, *words: str, role: str, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", *words],
        check=False,
        cwd=root,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.services.row_security.settings",
            "ROWS_DATABASE_URL": url(role),
            **variables,
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


@pytest.fixture
def rows(request: pytest.FixtureRequest) -> Iterator[Path]:
    """The host's tables and ours, made by their owner, with the documented grants to the site."""
    grants = re.search(r"^```sql\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert grants
    root = request.config.rootpath
    with psycopg.connect(POSTGRESQL, autocommit=True) as server:
        drop(server)
        for role in (OWNER, SITE):
            server.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'secret' NOSUPERUSER NOBYPASSRLS")
        server.execute(f"CREATE DATABASE {NAME} OWNER {OWNER}")
        try:
            python(root, "django", "migrate", "--verbosity", "0", role=OWNER)
            with psycopg.connect(url(OWNER), autocommit=True) as owner:
                owner.execute(grants[1])
            yield root
        finally:
            drop(server)


def drop(server: psycopg.Connection[tuple[object, ...]]) -> None:
    server.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
    for role in (OWNER, SITE):
        server.execute(f"DROP ROLE IF EXISTS {role}")


#: In the process of the request, or left for a worker that knows of no request.
WAYS: Mapping[str, str] = {"inline": "inline", "left for a worker": "celery"}


@pytest.mark.parametrize("tasks", WAYS.values(), ids=WAYS)
def test_two_organisations_that_never_see_each_other(rows: Path, tasks: str) -> None:
    said = python(rows, "tests.services.row_security.life", role=SITE, ROWS_TASKS=tasks)

    assert said.splitlines()[-1] == "well"
