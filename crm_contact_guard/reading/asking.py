"""Asking one question: at most two requests, within the time that is left."""

from __future__ import annotations

import time
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from crm_contact_guard.reading.answers import Answer, Unusable, read
from crm_contact_guard.reading.client import Unanswered, post
from crm_contact_guard.reading.options import Options
from crm_contact_guard.reading.prompt import Mode, Prompt

#: Answers by which a server says that it does not know how to be asked like that.
_UNKNOWN: Final = (400, 404, 405, 415, 422, 501)
_LESS: Final = {Mode.SCHEMA: Mode.OBJECT, Mode.OBJECT: Mode.TEXT}
#: What each server was found to take at most, as long as the process lives: the next question begins with it.
_taken: dict[tuple[str, str], Mode] = {}


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What came of a question. Either ``answer`` or ``error`` (a word) stands; digests are SHA-256 in hexadecimal.

    ``requests``: of each request's exact body, in order. ``body``: of the answer's exact body; empty without one.
    """

    answer: Answer | None = None
    error: str = ""
    says: str = ""
    requests: tuple[str, ...] = ()
    body: str = ""
    mode: Mode = Mode.SCHEMA


def ask(prompt: Prompt, options: Options, *, seconds: float) -> Reply:
    """Ask; never raises. A second request follows a server that does not know the form, or fails by itself."""
    end = time.monotonic() + seconds
    mode = _taken.get((options.url, options.model), Mode.SCHEMA)
    requests: list[str] = []
    while True:
        body = prompt.body(options.model, mode)
        requests.append(sha256(body).hexdigest())
        left = min(options.timeout, end - time.monotonic())
        try:
            if left <= 0:
                raise Unanswered("timeout", "no time was left")
            said = post(options.url, body, _headers(options), seconds=left, allow_external=options.allow_external)
        except Unanswered as error:
            less = _LESS.get(mode) if error.status in _UNKNOWN else None
            if less is not None:
                mode = _taken[options.url, options.model] = less
            again = less is not None or error.status >= 500 or error.status == 429
            if again and len(requests) < 2 and end > time.monotonic():
                continue
            return Reply(error=str(error), says=error.says, requests=tuple(requests), mode=mode)
        return _replied(said, prompt, tuple(requests), mode)


def _replied(said: bytes, prompt: Prompt, requests: tuple[str, ...], mode: Mode) -> Reply:
    digest = sha256(said).hexdigest()
    try:
        return Reply(answer=read(said, prompt.sides), requests=requests, body=digest, mode=mode)
    except Unusable as error:
        return Reply(
            error=str(error), says=f"answers, but unusably: {error}", requests=requests, body=digest, mode=mode
        )


def _headers(options: Options) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "identity"}
    if options.api_key:
        headers["Authorization"] = f"Bearer {options.api_key}"
    return headers
