"""The second reader, where one is configured: does its endpoint answer a made-up question as it should, and in time?"""

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
#: Nobody's words: what is sent for a look at the endpoint is of no customer.
_LINES: Final = (
    prompt.Line(side=By.EMPLOYEE, text="Your room is ready."),
    prompt.Line(side=By.CUSTOMER, text="Thank you! Can we go on by private chat?", pause=5),
)
_MEND: Final = {
    "refused_address": 'name an address of your own network, or set CONTACT_GUARD["READER"]["ALLOW_EXTERNAL"]',
    "http_401": 'correct CONTACT_GUARD["READER"]["API_KEY"]',
    "http_403": 'correct CONTACT_GUARD["READER"]["API_KEY"]',
    "http_404": 'correct CONTACT_GUARD["READER"]["URL"] (it mostly ends in /v1) or ["MODEL"]',
    "unreachable": 'start the server, or correct CONTACT_GUARD["READER"]["URL"]',
    "timeout": 'a smaller model, a faster machine, or a larger CONTACT_GUARD["READER"]["TIMEOUT"]',
    "tls": "give the server a certificate that this machine trusts",
    "redirect": 'name the address it redirects to in CONTACT_GUARD["READER"]["URL"]',
    "garbage": "choose a model that can answer in JSON",
    "wrong_side": "choose a larger model: it reads, but contradicts itself",
}


def reader_items() -> Iterator[Item]:
    """Nothing where no reader is configured."""
    if not settings.READER:
        return
    chosen = options()
    if chosen is None:
        for says in problems(settings.READER):
            yield error(TOPIC, says, "see docs/reader.md")
        return
    yield from _answers(chosen)


def _answers(chosen: Options) -> Iterator[Item]:
    began = time.monotonic()
    reply = asking.ask(prompt.build(_LINES, People(), language="en"), chosen, seconds=chosen.patience.total_seconds())
    took = time.monotonic() - began
    if reply.answer is None:
        mend = _MEND.get(reply.error, "look at the server's own log")
        yield error(TOPIC, f"{chosen.model} at {chosen.url} {reply.says}", mend)
        return
    yield fine(TOPIC, f"{chosen.model} reads a talk and answers within {took:.1f} seconds")
    if reply.mode is not prompt.Mode.SCHEMA:
        yield warning(
            TOPIC,
            "the server does not hold its model to a JSON schema",
            "a newer server; more answers will be unusable",
        )
