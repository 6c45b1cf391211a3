"""Values from outside cannot forge lines, JSON members or terminal commands in the logs."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from crm_contact_guard.exceptions import InvalidPayload
from crm_contact_guard.hosting import logs
from tests.signed_channel import SignedChannel, signature

HOSTILE = [
    "a\r\n2026-11-26 00:00:00 INFO root: all is well",
    "\x1b[2J\x1b[1;1Hclean",
    "\x9b31m",
    'x", "level": "DEBUG", "y": "',
    "back\\",
    "\u202egnp.exe",
    "\u2028new line",
    "\x00",
    "\x85next",
]
LINE = '{"level": "%(levelname)s", "message": "%(message)s"}'


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What a host's handler writes that puts the message between quotes."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter(LINE))
    root = logging.getLogger("crm_contact_guard")
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_stays_within_its_line_and_its_string(written: io.StringIO, value: str) -> None:
    log = logs.logger("crm_contact_guard.tests")
    for form in (value, ValueError(value), [value]):
        log.warning("Channel %s: %s, %d", "line", form, 7)
    log.warning("Channel %(name)s", {"name": value})

    lines = written.getvalue().splitlines()

    assert len(lines) == 4
    assert all(line.isprintable() for line in lines)
    assert json.loads(lines[0]) == {"level": "WARNING", "message": f"Channel line: {value}, 7"}
    assert json.loads(lines[3]) == {"level": "WARNING", "message": f"Channel {value}"}


@pytest.mark.parametrize("value", HOSTILE)
def test_an_exception_s_words_begin_no_line(written: io.StringIO, value: str) -> None:
    try:
        raise ValueError(value)
    except ValueError:
        logs.logger("crm_contact_guard.tests").exception("Could not do it")

    first, *rest = written.getvalue().rstrip("\n").split("\n")

    assert json.loads(first) == {"level": "ERROR", "message": "Could not do it"}
    assert all(line.startswith("  ") and line.isprintable() for line in rest)


def test_a_long_value_is_cut(written: io.StringIO) -> None:
    logs.logger("crm_contact_guard.tests").warning("%s", "x" * 1_000_000)

    assert len(written.getvalue()) < 2100


class QuotingChannel(SignedChannel):
    """A third party's channel that quotes in its errors what came in."""

    def parse(self, request: Any) -> Any:
        raise InvalidPayload(request.body.decode())


@pytest.mark.django_db
def test_a_webhook_that_is_quoted_in_an_error_forges_nothing(written: io.StringIO, settings: Any) -> None:
    odd = {"BACKEND": f"{__name__}.QuotingChannel", "OPTIONS": {"SECRET": "s3cret"}}
    channels = {**settings.CONTACT_GUARD["CHANNELS"], "odd": odd}
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "CHANNELS": channels}
    body = "".join(HOSTILE).encode()

    Client().post(
        "/guard/webhooks/odd/",
        body,
        content_type="text/plain",
        headers={"X-Signature": signature(body, "s3cret")},
    )

    (line,) = written.getvalue().splitlines()
    assert json.loads(line)["message"] == f"Webhook odd unreadable: {body.decode()}"
