"""Where carriers' files are fetched from: nowhere but at the carrier, whatever a URL looks like, and within bounds."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from urllib3 import PoolManager

from crm_contact_guard.channels import bodies, registry
from crm_contact_guard.channels.base import MediaRef
from crm_contact_guard.channels.http import content_of
from crm_contact_guard.exceptions import ChannelError
from tests.channels import twilio_setup, whatsapp_setup
from tests.channels.carrier_server import Answer, CarrierServer
from tests.channels.line_server import LineServer
from tests.channels.line_setup import configure, line_options, works_options
from tests.channels.line_works_server import LineWorksServer
from tests.channels.meta_server import MetaServer
from tests.channels.test_twilio_media import JPEG, ONE, REF
from tests.channels.twilio_server import TwilioServer
from tests.sockets import watched

#: ``{host}`` is a host that the carrier does have files on.
TARGETS = [
    "http://169.254.169.254/latest/meta-data/",
    "https://169.254.169.254/latest/meta-data/",
    "http://127.0.0.1:1/",
    "http://localhost:1/",
    "http://10.0.0.1/",
    "http://[::1]:1/",
    "http://[::ffff:127.0.0.1]:1/",
    "http://[::ffff:7f00:1]:1/",
    "http://2130706433:1/",
    "http://0x7f.1:1/",
    "http://127.1:1/",
    "http://0:1/",
    "https://attacker.example/",
    "https://{host}@attacker.example/",
    "https://attacker.example#{host}",
    "https://attacker.example?{host}/",
    "https://attacker.example\\@{host}/",
    "https://attacker.example\\.{host}/",
    "https://{host}.attacker.example/",
    "https://{host}:444/",
    "http://{host}/",
    "http://user:secret@{host}/",
    "//attacker.example/",
    "/\\attacker.example/",
    "ftp://{host}/x",
    "file:///etc/passwd",
    "gopher://127.0.0.1:1/_x",
    "https://[::1",
    "https://{host}%00.attacker.example/",
    "https://attacker.example%2f{host}/",
    "https://\u2488.attacker.example/",
    "",
]

Fetch = Callable[[str], Any]


def _twilio(settings: Any, server: TwilioServer) -> Fetch:
    twilio_setup.configure(settings, server.url)
    server.media[ONE] = JPEG
    return lambda target: _fetch(server, "redirect_to", target, "sms", REF)


def _whatsapp(settings: Any, server: MetaServer) -> Fetch:
    whatsapp_setup.configure(settings, server.url)
    server.media["77"] = ("image/png", b"inside")
    return lambda target: _fetch(server, "media_url", target, "whatsapp", "77")


def _works(settings: Any, server: LineWorksServer) -> Fetch:
    configure(settings, "works", "crm_contact_guard.channels.line_works.LineWorksChannel", works_options(server.url))
    server.attachments["jp1"] = JPEG
    return lambda target: _fetch(server, "redirect_to", target, "works", "jp1")


def _line(settings: Any, server: LineServer) -> Fetch:
    configure(settings, "line", "crm_contact_guard.channels.line.LineChannel", line_options(server.url))

    def fetch(target: str) -> Any:
        server.contents["5"] = Answer(302, b"", {"Location": target}) if target else JPEG
        return registry.channel("line").fetch(MediaRef(ref="5"))

    return fetch


def _fetch(server: CarrierServer, name: str, target: str, alias: str, ref: str) -> Any:
    setattr(server, name, target)
    return registry.channel(alias).fetch(MediaRef(ref=ref))


CARRIERS: dict[str, tuple[type[CarrierServer], Callable[[Any, Any], Fetch], str]] = {
    "Twilio": (TwilioServer, _twilio, "mms.twiliocdn.com"),
    "WhatsApp": (MetaServer, _whatsapp, "lookaside.fbsbx.com"),
    "LINE WORKS": (LineWorksServer, _works, "storage.worksmobile.com"),
    "LINE": (LineServer, _line, "api-data.line.me"),
}


@pytest.fixture(params=CARRIERS)
def carrier(request: pytest.FixtureRequest, settings: Any) -> Iterator[tuple[CarrierServer, Fetch, str]]:
    kind, prepared, host = CARRIERS[request.param]
    with kind().running() as server:  # type: ignore[call-arg]
        yield server, prepared(settings, server), host


@pytest.mark.parametrize("target", TARGETS)
def test_a_file_is_fetched_from_the_carrier_only(carrier: tuple[CarrierServer, Fetch, str], target: str) -> None:
    server, fetch, host = carrier
    own = server.url.removeprefix("http://").rpartition(":")

    with watched() as made:
        if target:
            with pytest.raises(ChannelError):
                fetch(target.replace("{host}", host))
        else:
            # No target: the file is where the carrier says, which shows that the others were refused for theirs.
            assert fetch("").content

    asked = {(str(found[0]), str(found[1])) for _event, found in made}
    assert asked <= {(own[0], own[2]), (host, "443")}


# --- endless bodies


@pytest.fixture
def endless() -> Iterator[str]:
    """A server that sends a byte at a time, for ever."""
    stop = threading.Event()

    def serve(listener: socket.socket) -> None:
        connection, _address = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 1000000\r\n\r\n")
            try:
                while not stop.wait(0.01):
                    connection.sendall(b"x")
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, args=(listener,))
        server.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        stop.set()
        server.join()


def test_a_body_that_drips_for_ever_is_given_up(endless: str) -> None:
    """Each byte is in time for the socket's time-out; only the whole is not."""
    with PoolManager(retries=False, timeout=30) as pool:
        answer = pool.request("GET", endless, preload_content=False)

        with pytest.raises(ChannelError, match="not complete after") as given_up:
            content_of(answer, most=10_000_000, within=0.05)

    assert not given_up.value.permanent


def test_pieces_are_counted_as_they_come() -> None:
    def pieces() -> Iterator[bytes]:
        while True:
            yield b"x" * 600

    with pytest.raises(ChannelError, match="larger than 1000 bytes") as large:
        bodies.bounded(pieces(), most=1000)

    assert (large.value.permanent, large.value.detail["code"]) == (True, "too-large")
