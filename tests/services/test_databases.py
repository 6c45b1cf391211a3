"""Ours on one kind of database and the host's on another, either way round (``tests/databases``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import MySQLdb
import psycopg
import pytest
from celery.signals import task_prerun
from django.db import OperationalError, connections

from crm_contact_guard import tasks
from tests.databases.test_databases import live, on_file
from tests.service_urls import MARIADB, POSTGRESQL, database

Make = Callable[[str, Path], dict[str, Any]]


@pytest.fixture
def make() -> Iterator[Make]:
    """Gives an empty database of a vendor, which goes again after the test."""
    with ExitStack() as made:

        def make(vendor: str, folder: Path) -> dict[str, Any]:
            name = f"contact_guard_{uuid4().hex[:12]}"
            if vendor == "sqlite":
                return on_file(folder, name)
            run = _on_postgresql if vendor == "postgresql" else _on_mariadb
            run(f"CREATE DATABASE {name}")
            made.callback(run, f"DROP DATABASE {name}")
            return database(POSTGRESQL if vendor == "postgresql" else MARIADB) | {"NAME": name}

        yield make


def _on_postgresql(statement: str) -> None:
    with psycopg.connect(POSTGRESQL, dbname="postgres", autocommit=True) as server:
        server.execute(statement)


def _on_mariadb(statement: str) -> None:
    given = database(MARIADB)
    port = {"port": int(given["PORT"])} if given["PORT"] else {}
    server = MySQLdb.connect(
        host=given["HOST"], user=given["USER"], password=given["PASSWORD"], **port, **given["OPTIONS"]
    )
    with closing(server), server.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("postgresql", "mariadb"),
        pytest.param("postgresql", "sqlite", marks=pytest.mark.beyond_slice),
        pytest.param("sqlite", "postgresql", marks=pytest.mark.beyond_slice),
        pytest.param("mariadb", "postgresql", marks=pytest.mark.beyond_slice),
    ],
)
def test_ours_and_theirs_on_different_kinds_of_database(ours: str, theirs: str, make: Make, tmp_path: Path) -> None:
    databases = {"default": make(theirs, tmp_path), "guard": make(ours, tmp_path)}

    live(tmp_path, databases=databases, router="Guarded", order=["guard", "default"], ours="guard", people="default")


@pytest.mark.beyond_slice
def test_a_replica_on_postgresql_that_never_learns_of_anything(make: Make, tmp_path: Path) -> None:
    databases = {name: make("postgresql", tmp_path) for name in ("default", "replica")}

    live(
        tmp_path,
        databases=databases,
        router="Replica",
        order=["default", "replica"],
        ours="default",
        people="default",
    )


def test_a_task_does_not_suffer_from_a_database_that_was_restarted_after_the_task_before(
    make: Make, django_db_blocker: Any
) -> None:
    """``CELERY_DB_REUSE_MAX`` keeps a worker's connections, also broken ones."""
    connections.databases["kept"] = connections.configure_settings({"default": make("postgresql", Path())})["default"]

    def works_on_a_broken_connection() -> None:
        kept = connections["kept"]
        try:
            with kept.cursor() as cursor, pytest.raises(OperationalError):
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

            task_prerun.send(sender=tasks.seal, task=tasks.seal, task_id="1", args=(), kwargs={})

            with kept.cursor() as cursor:
                cursor.execute("SELECT 1")
        finally:
            kept.close()
            del connections["kept"]

    try:
        # The browser's tests leave an event loop in the main thread, in which Django refuses to ask a database.
        with django_db_blocker.unblock(), ThreadPoolExecutor(max_workers=1) as worker:
            worker.submit(works_on_a_broken_connection).result()
    finally:
        del connections.databases["kept"]
