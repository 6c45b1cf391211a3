"""``contact_guard_check`` and the second reader."""

from __future__ import annotations

import pytest

from tests.channels.carrier_server import Answer
from tests.installation.test_check import complete, look  # noqa: F401 - the fixture
from tests.ports import free_port
from tests.reading.reader_server import YES, ReaderServer, reader

pytestmark = pytest.mark.django_db


def reader_items() -> list[tuple[str, str, str]]:
    return [(item["level"], item["says"], item["fix"]) for item in look() if item["topic"] == "reader"]


def test_without_a_reader_there_are_no_items() -> None:
    assert not reader_items()


def test_a_working_reader_is_ok_and_gets_only_invented_text() -> None:
    with ReaderServer().running() as server, reader(server):
        server.says = {**YES, "message": 1}
        [(level, says, _fix)] = reader_items()

    assert level == "ok"
    assert "small reads a conversation" in says
    assert server.talk()[0]["text"] == "Your room is ready."


def test_a_server_without_schemas_is_a_warning() -> None:
    with ReaderServer().running() as server, reader(server):
        server.failures.append(Answer(400))
        server.says = {**YES, "message": 1}
        assert [level for level, *_ in reader_items()] == ["ok", "warning"]


def test_problems_are_reported_with_their_fix() -> None:
    with reader(f"http://127.0.0.1:{free_port()}/v1"):
        [(level, says, fix)] = reader_items()
    assert (level, "start the server" in fix) == ("error", True)
    assert "sk-secret-key" not in says

    with ReaderServer().running() as server, reader(server):
        server.failures.append(Answer(401))
        [(level, _says, fix)] = reader_items()
    assert (level, "API_KEY" in fix) == ("error", True)

    with reader("http://127.0.0.1:1/v1", LANGUAGE="de"):
        [(level, says, _fix)] = reader_items()
    assert (level, "LANGUAGE" in says) == ("error", True)
