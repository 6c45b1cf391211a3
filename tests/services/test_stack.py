"""The processes of docker-compose.yml, natively: web, worker, beat and receivers on PostgreSQL and Redis."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from tests.demo.conftest import NEIGHBOURS, Demo
from tests.demo.test_run import PATIENCE, Browser, Running
from tests.ports import free_port
from tests.service_urls import POSTGRESQL, REDIS

NAME = "contact_guard_stack"


def _replaced(url: str, path: str) -> str:
    return urllib.parse.urlsplit(url)._replace(path=f"/{path}").geturl()


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Running]:
    """The demo with a database and a broker of its own on the real servers."""
    broker = _replaced(REDIS, "9")
    with psycopg.connect(POSTGRESQL, autocommit=True) as server, redis.Redis.from_url(broker) as queue:
        server.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {NAME}")
        queue.flushdb()
        demo = Demo(tmp_path, free_port(NEIGHBOURS))
        demo.environment = {
            **demo.environment,
            "DEMO_DATABASE_URL": _replaced(POSTGRESQL, NAME),
            "DEMO_BROKER_URL": broker,
        }
        try:
            with Running(demo) as running:
                running.wait_until_ready()
                yield running
        finally:
            server.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
            queue.flushdb()


@pytest.mark.timeout(PATIENCE)
def test_a_guests_message_warns_the_supervisor(stack: Running) -> None:
    supervisor = Browser(stack.base, "ja")
    supervisor.sign_in("supervisor")
    assert "佐藤 花子" not in supervisor.get("/guard/")
    guest = Browser(stack.base, "ja")
    guest.get(stack.chat_link)

    guest.post("/guard/chat/", text="LINE交換しませんか？ID: hanako_22")

    supervisor.wait_for("/guard/", "佐藤 花子")
    supervisor.wait_for(f"/mailbox/{urllib.parse.quote('supervisor@kaede-hotels.example')}/", "佐藤 花子")
    checked = stack.demo.manage("contact_guard_check", "--patience", "60")
    assert "beat and worker run: a recorded row was sealed" in checked.stdout, checked.stdout
    assert checked.returncode == 0, checked.stdout
    assert stack.end()[0] == 0
