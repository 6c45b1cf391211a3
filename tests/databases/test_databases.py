"""Hosts of several databases: ours beside theirs, theirs beside ours, and replicas that are behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core import checks
from django.test import override_settings

ROUTERS = "tests.databases.routers"


def live(folder: Path, **spec: Any) -> None:
    """Let a host with these databases live, and say where it failed."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.databases.life", json.dumps({**spec, "folder": str(folder)})],
        check=False,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines()[-1:] == ["well"], done.stderr[-3000:]


def on_file(folder: Path, name: str, **options: Any) -> dict[str, Any]:
    # Nobody pulls the plug here, so the disk need not be waited for.
    unsafe = {"init_command": "PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY"}
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(folder / f"{name}.sqlite3"),
        "OPTIONS": unsafe,
        **options,
    }


@pytest.mark.parametrize("order", [["default", "guard"], ["guard", "default"]], ids=["theirs first", "ours first"])
def test_our_tables_in_a_database_of_their_own(order: list[str], tmp_path: Path) -> None:
    databases = {name: on_file(tmp_path, name) for name in order}

    live(tmp_path, databases=databases, router="Guarded", order=order, ours="guard", people="default")


def test_a_transaction_around_each_request_on_either_database(tmp_path: Path) -> None:
    databases = {name: on_file(tmp_path, name, ATOMIC_REQUESTS=True) for name in ("default", "guard")}

    live(tmp_path, databases=databases, router="Guarded", order=["default", "guard"], ours="guard", people="default")


def test_the_hosts_people_in_another_database_than_all_else(tmp_path: Path) -> None:
    databases = {name: on_file(tmp_path, name) for name in ("default", "people")}

    live(
        tmp_path,
        databases=databases,
        router="PeopleElsewhere",
        order=["default", "people"],
        ours="default",
        people="people",
    )


def test_no_default_database_at_all(tmp_path: Path) -> None:
    order = ["people", "guard"]
    databases = {"default": {}} | {name: on_file(tmp_path, name) for name in order}

    live(tmp_path, databases=databases, router="NoDefault", order=order, ours="guard", people="people")


def test_a_replica_that_never_learns_of_anything(tmp_path: Path) -> None:
    databases = {name: on_file(tmp_path, name) for name in ("default", "replica")}

    live(
        tmp_path,
        databases=databases,
        router="Replica",
        order=["default", "replica"],
        ours="default",
        people="default",
    )


@override_settings(DATABASE_ROUTERS=[f"{ROUTERS}.Replica"])
def test_every_model_reads_where_it_writes() -> None:
    for model in apps.get_app_config("crm_contact_guard").get_models():
        assert {model._default_manager.db, model._base_manager.db, *(each.db for each in model._meta.managers)} == {
            "default"
        }, model


@pytest.mark.parametrize(
    ("router", "told"),
    [
        ("Parted", "'archive' gets Event; 'default' gets"),
        ("Unknown", "'archive' is not in DATABASES"),
        ("Refused", "'default' may not have them"),
    ],
)
def test_a_router_by_which_nothing_could_work_is_named(router: str, told: str) -> None:
    with override_settings(DATABASE_ROUTERS=[f"{ROUTERS}.{router}"]):
        found = [message for message in checks.run_checks(tags=["crm_contact_guard"]) if message.id.endswith("E019")]

    assert len(found) == 1
    assert told in found[0].msg
