"""Requests over real sockets: addresses, time limits, size limits."""

from __future__ import annotations

import logging
import time
from ipaddress import ip_address
from typing import Any

import pytest

from crm_contact_guard.detection.types import By
from crm_contact_guard.reading import asking, prompt
from crm_contact_guard.reading.addresses import refusal
from crm_contact_guard.reading.masking import People
from crm_contact_guard.reading.options import options
from tests.channels.carrier_server import HANG_UP, Answer
from tests.ports import free_port
from tests.reading.reader_server import NO, ReaderServer, dripping, reader

QUESTION = prompt.build([prompt.Line(side=By.CUSTOMER, text="LINE?")], People(), language="en")


def ask(where: ReaderServer | str, *, seconds: float = 10, **given: Any) -> asking.Reply:
    with reader(where, **given):
        chosen = options()
        assert chosen is not None
        return asking.ask(QUESTION, chosen, seconds=seconds)


@pytest.mark.parametrize(
    ("address", "secure", "external", "allowed"),
    [
        ("127.0.0.1", False, False, True),
        ("::1", False, False, True),
        ("10.1.2.3", False, False, True),
        ("172.31.0.1", False, False, True),
        ("192.168.0.9", False, False, True),
        ("fd00::1", False, False, True),
        ("::ffff:10.0.0.1", False, False, True),
        ("::ffff:8.8.8.8", True, False, False),
        ("172.32.0.1", True, False, False),
        ("8.8.8.8", True, False, False),
        ("8.8.8.8", False, True, False),
        ("8.8.8.8", True, True, True),
        ("2001:4860:4860::8888", True, True, True),
        ("169.254.169.254", True, True, False),
        ("fe80::1", True, True, False),
        ("0.0.0.0", True, True, False),
        ("224.0.0.1", True, True, False),
        ("100.64.0.1", True, True, False),
    ],
)
def test_which_addresses_may_be_connected_to(address: str, secure: bool, external: bool, allowed: bool) -> None:
    assert (refusal(ip_address(address), secure=secure, external=external) == "") is allowed


def test_a_question_and_its_answer_with_the_digests_of_the_bytes_sent_and_received() -> None:
    from hashlib import sha256

    with ReaderServer().running() as server:
        reply = ask(server)

    [call] = server.calls
    assert call.path == "/v1/chat/completions"
    assert call.header("Authorization") == "Bearer sk-secret-key"
    assert reply.answer is not None
    assert reply.requests == (sha256(call.body).hexdigest(),)
    assert len(reply.body) == 64
    assert call.json["response_format"]["type"] == "json_schema"
    assert call.json["model"] == "small"


def test_a_name_is_checked_by_its_addresses() -> None:
    with ReaderServer().running() as server:
        port = server.url.rpartition(":")[2]
        assert ask(f"http://localhost:{port}/v1").answer is not None


def test_a_redirect_is_not_followed() -> None:
    with ReaderServer().running() as elsewhere, ReaderServer().running() as server:
        server.failures.append(Answer(307, b"", {"Location": elsewhere.url}))
        reply = ask(server)

    assert reply.error == "redirect"
    assert not elsewhere.calls


@pytest.mark.parametrize(
    ("status", "error"), [(401, "http_401"), (403, "http_403"), (500, "http_500"), (204, "http_204"), (429, "http_429")]
)
def test_a_failing_server_is_asked_at_most_twice(status: int, error: str) -> None:
    with ReaderServer().running() as server:
        server.failures += [Answer(status, b"sk-secret-key"), Answer(status, b"sk-secret-key"), Answer(status)]
        reply = ask(server)

    assert (reply.answer, reply.error) == (None, error)
    assert len(server.calls) == (2 if status >= 429 else 1)
    assert "sk-secret-key" not in repr(reply)


def test_the_answer_of_a_server_that_recovers_counts() -> None:
    with ReaderServer().running() as server:
        server.failures.append(Answer(503))
        reply = ask(server)

    assert reply.answer is not None
    assert len(reply.requests) == 2


def test_a_server_without_schemas_is_asked_for_an_object_and_then_for_text() -> None:
    with ReaderServer().running() as server:
        server.failures += [Answer(400), Answer(400)]
        assert ask(server).error == "http_400"
        assert ask(server).answer is not None
        assert ask(server).mode is prompt.Mode.TEXT

    kinds = [question.get("response_format", {}).get("type") for question in server.questions]
    assert kinds == ["json_schema", "json_object", None, None]


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Slow: ",
        b"",
    ],
    ids=["body", "headers", "status line"],
)
def test_a_server_that_sends_slowly_is_stopped_at_the_deadline(head: bytes) -> None:
    began = time.monotonic()
    with dripping(head) as url:
        reply = ask(url, TIMEOUT=0.5)

    assert reply.error == "timeout"
    assert time.monotonic() - began < 5


def test_the_remaining_time_limits_the_question_too() -> None:
    with dripping() as url:
        assert ask(url, seconds=0.3).error == "timeout"
    assert ask("http://127.0.0.1:1/v1", seconds=-1).error == "timeout"


def test_an_endless_answer_is_cut_off() -> None:
    with ReaderServer().running() as server:
        server.failures.append(Answer(200, b"x" * 1_000_000))
        assert ask(server).error == "too_large"


def test_a_server_that_is_absent_or_dies() -> None:
    assert ask(f"http://127.0.0.1:{free_port()}/v1").error == "unreachable"
    with ReaderServer().running() as server:
        server.failures.append(HANG_UP)
        assert ask(server).error == "unreachable"


def test_a_server_without_tls_at_an_https_address_is_an_error() -> None:
    with ReaderServer().running() as server:
        assert ask(server.url.replace("http:", "https:") + "/v1").error in ("tls", "unreachable")
    assert not server.calls


def test_a_public_address_is_rejected_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    # The system's resolver, with the result of a hostile or changed name.
    import socket

    def leads_outside(*_args: Any, **_more: Any) -> list[Any]:
        both = ("127.0.0.1", 80), ("8.8.8.8", 80)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in both]

    monkeypatch.setattr(socket, "getaddrinfo", leads_outside)
    reply = ask("http://reader.example/v1")
    assert (reply.error, reply.says) == ("refused_address", "leads to a public address, but ALLOW_EXTERNAL is not set")
    assert ask("http://reader.example/v1", ALLOW_EXTERNAL=True).error == "refused_address"


def test_the_key_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with ReaderServer().running() as server:
        server.says = NO
        ask(server)
        server.failures += [Answer(500), HANG_UP]
        ask(server)

    assert "sk-secret-key" not in caplog.text
