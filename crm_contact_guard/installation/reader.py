"""Check the second reader, if configured: whether its endpoint answers a made-up question correctly and in time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from crm_contact_guard.conf import settings
from crm_contact_guard.detection.types import By
from crm_contact_guard.installation.report import Item, error, fine, warning
from crm_contact_guard.reading import asking, prompt
from crm_contact_guard.reading.masking import People
from crm_contact_guard.reading.options import Options, options, problems

TOPIC = "reader"
#: Made-up messages, so that no customer data is sent to check the endpoint.
_LINES: Final = (
    prompt.Line(side=By.EMPLOYEE, text="Your room is ready."),
    prompt.Line(side=By.CUSTOMER, text="Thank you! Can we go on by private chat?", pause=5),
)
_FIXES: Final = {
    "refused_address": 'use an address in your own network, or set CONTACT_GUARD["READER"]["ALLOW_EXTERNAL"]',
    "http_401": 'correct CONTACT_GUARD["READER"]["API_KEY"]',
    "http_403": 'correct CONTACT_GUARD["READER"]["API_KEY"]',
    "http_404": 'correct CONTACT_GUARD["READER"]["URL"] (it usually ends in /v1) or ["MODEL"]',
    "unreachable": 'start the server, or correct CONTACT_GUARD["READER"]["URL"]',
    "timeout": 'use a smaller model, a faster machine, or a larger CONTACT_GUARD["READER"]["TIMEOUT"]',
    "tls": "install a certificate that this machine trusts",
    "redirect": 'set CONTACT_GUARD["READER"]["URL"] to the redirect\'s target',
    "garbage": "choose a model that can answer in JSON",
    "wrong_side": "choose a larger model: this one contradicts itself",
}


def reader_items() -> Iterator[Item]:
    """Check the reader. Yields nothing if none is configured."""
    if not settings.READER:
        return
    chosen = options()
    if chosen is None:
        for problem in problems(settings.READER):
            yield error(TOPIC, problem, "see docs/reader.md")
        return
    yield from _answers(chosen)


def _answers(chosen: Options) -> Iterator[Item]:
    began = time.monotonic()
    reply = asking.ask(prompt.build(_LINES, People(), language="en"), chosen, seconds=chosen.patience.total_seconds())
    took = time.monotonic() - began
    if reply.answer is None:
        fix = _FIXES.get(reply.error, "see the server's log")
        yield error(TOPIC, f"{chosen.model} at {chosen.url} {reply.says}", fix)
        return
    yield fine(TOPIC, f"{chosen.model} reads a conversation and answers within {took:.1f} seconds")
    if reply.mode is not prompt.Mode.SCHEMA:
        yield warning(
            TOPIC,
            "the server does not enforce a JSON schema, so more answers will be unusable",
            "use a newer server",
        )
