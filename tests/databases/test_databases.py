"""Hosts with several databases, and with a lagging replica."""

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
    """Run ``life`` for a host with these databases."""
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
    # Faster: no need to survive a power failure here.
    unsafe = {"init_command": "PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY"}
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(folder / f"{name}.sqlite3"),
        "OPTIONS": unsafe,
        **options,
    }


@pytest.mark.beyond_slice
@pytest.mark.parametrize("order", [["default", "guard"], ["guard", "default"]], ids=["theirs first", "ours first"])
def test_our_tables_in_a_separate_database(order: list[str], tmp_path: Path) -> None:
    databases = {name: on_file(tmp_path, name) for name in order}

    live(tmp_path, databases=databases, router="Guarded", order=order, ours="guard", people="default")


def test_a_transaction_around_each_request_on_either_database(tmp_path: Path) -> None:
    databases = {name: on_file(tmp_path, name, ATOMIC_REQUESTS=True) for name in ("default", "guard")}

    live(tmp_path, databases=databases, router="Guarded", order=["default", "guard"], ours="guard", people="default")


def test_the_hosts_people_in_a_separate_database(tmp_path: Path) -> None:
    databases = {name: on_file(tmp_path, name) for name in ("default", "people")}

    live(
        tmp_path,
        databases=databases,
        router="PeopleElsewhere",
        order=["default", "people"],
        ours="default",
        people="people",
    )


@pytest.mark.beyond_slice
def test_no_default_database_at_all(tmp_path: Path) -> None:
    order = ["people", "guard"]
    databases = {"default": {}} | {name: on_file(tmp_path, name) for name in order}

    live(tmp_path, databases=databases, router="NoDefault", order=order, ours="guard", people="people")


def test_a_replica_that_never_gets_updates(tmp_path: Path) -> None:
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
    ("router", "problem"),
    [
        ("Parted", "'archive' gets Event; 'default' gets"),
        ("Unknown", "'archive' is not in DATABASES"),
        ("Refused", "'default' may not have them"),
    ],
)
def test_an_unusable_router_is_reported(router: str, problem: str) -> None:
    with override_settings(DATABASE_ROUTERS=[f"{ROUTERS}.{router}"]):
        found = [message for message in checks.run_checks(tags=["crm_contact_guard"]) if message.id.endswith("E019")]

    assert len(found) == 1
    assert problem in found[0].msg
