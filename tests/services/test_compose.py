"""docker-compose.yml as Compose itself reads it; no engine is needed for that."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    command = ["docker-compose"] if shutil.which("docker-compose") else ["docker", "compose"]
    output = subprocess.run([*command, "config", "--format", "json"], cwd=ROOT, check=True, capture_output=True)
    found: dict[str, Any] = json.loads(output.stdout)["services"]
    return found


def test_all_processes_are_there(services: dict[str, Any]) -> None:
    assert set(services) == {"data", "web", "worker", "beat", "mail-in", "postgres", "redis", "mail"}


def test_app_processes_share_one_environment(services: dict[str, Any]) -> None:
    environments = [services[name]["environment"] for name in ("data", "web", "worker", "beat", "mail-in")]
    assert all(environment == environments[0] for environment in environments)
    assert environments[0]["DEMO_DATABASE_URL"].startswith("postgresql://")
    assert environments[0]["DEMO_BROKER_URL"].startswith("redis://")


def test_app_starts_after_its_data(services: dict[str, Any]) -> None:
    for name in ("web", "worker", "beat", "mail-in"):
        assert services[name]["depends_on"]["data"]["condition"] == "service_completed_successfully"


def test_ports_are_open_to_this_machine_only(services: dict[str, Any]) -> None:
    published = {name: port for name, service in services.items() for port in service.get("ports", [])}
    assert set(published) == {"web", "mail", "mail-in"}
    assert {port["host_ip"] for port in published.values()} == {"127.0.0.1"}


def test_what_the_image_copies_exists(services: dict[str, Any]) -> None:
    dockerfile = ROOT / services["web"]["build"]["dockerfile"]
    for line in dockerfile.read_text().splitlines():
        if line.startswith("COPY "):
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists(), source
