"""The second reader against a real model behind a real llama.cpp server: the protocol, not how well so small a model
reads."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from crm_contact_guard import tasks
from crm_contact_guard.hosting import database
from crm_contact_guard.reading.models import ReaderAnswer
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.second_reading import second_reader
from tests import factories
from tests.reading.reader_server import reader

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.services.reader_model", str(tmp_path_factory.mktemp("model"))]
    log = (tmp_path_factory.getbasetemp() / "llama.log").open("wb")
    root = Path(__file__).parents[2]
    with log, subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            told = next((line for line in process.stdout if line.startswith(b"http")), b"")
            assert told, Path(log.name).read_text(errors="replace")[-3000:]
            yield told.decode().strip() + "/v1"
        finally:
            process.stdin.close()


def noticed() -> ReaderAnswer:
    talk = factories.conversation(factories.employee("aoi", branch=factories.team(head="sora")))
    message = factories.received("Could we meet outside of the shop?", talk)
    with database.atomic():
        second_reader.consider(message, alerts=[], noticed=[second_reader.Noticed(by="customer", score=0.4)])
    return ReaderAnswer.objects.get()


def test_a_real_model_is_held_to_the_schema_and_its_answer_recorded(url: str) -> None:
    with reader(url, API_KEY="sk-of-the-test", TIMEOUT=500, MAX_DELAY=590):
        row = noticed()
        tasks.reader_ask(str(row.pk))

    row.refresh_from_db()
    event = Event.objects.get(kind__in=("reader.answered", "reader.failed"))
    told = json.loads(event.data)
    # With one message of one side, all that the schema lets through is an answer, save an attempt by nobody.
    assert (row.state, row.error) in {("answered", ""), ("failed", "wrong_side")}
    assert len(told["requests"]) == 1, "the server took the JSON schema at once"
    assert told["answer"] == row.answer_digest
    assert len(row.answer_digest) == 64
    assert row.state == "failed" or isinstance(row.attempt, bool)


def test_the_check_of_an_installation_talks_to_it_and_names_a_wrong_key(url: str) -> None:
    with reader(url, API_KEY="sk-wrong", TIMEOUT=500, MAX_DELAY=590):
        row = noticed()
        tasks.reader_ask(str(row.pk))
        out = io.StringIO()
        with suppress(CommandError):
            call_command("contact_guard_check", "--json", stdout=out)

    row.refresh_from_db()
    assert row.error == "http_401"
    told = [line for line in map(json.loads, out.getvalue().splitlines()) if line["topic"] == "reader"]
    assert "API_KEY" in told[0]["fix"]
