"""Asks one question: at most two requests, within the time limit."""

from __future__ import annotations

import time
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from crm_contact_guard.reading.answers import Answer, Unusable, read
from crm_contact_guard.reading.client import Unanswered, post
from crm_contact_guard.reading.options import Options
from crm_contact_guard.reading.prompt import Mode, Prompt

#: Status codes returned by servers that don't support the response format of the request.
_UNKNOWN: Final = (400, 404, 405, 415, 422, 501)
_FALLBACK: Final = {Mode.SCHEMA: Mode.OBJECT, Mode.OBJECT: Mode.TEXT}
#: The response format that each server supports, as determined by this process. The next question starts with it.
_supported: dict[tuple[str, str], Mode] = {}


@dataclass(frozen=True, kw_only=True)
class Reply:
    """The result of a question: either ``answer`` or ``error`` (a code) is set.

    ``requests`` contains the digests of all request bodies, in order. ``body`` is the digest of the response body, or
    empty. Digests are SHA-256 in hexadecimal.
    """

    answer: Answer | None = None
    error: str = ""
    says: str = ""
    requests: tuple[str, ...] = ()
    body: str = ""
    mode: Mode = Mode.SCHEMA


def ask(prompt: Prompt, options: Options, *, seconds: float) -> Reply:
    """Ask the reader; never raises. Retries once if the server does not support the format or has an error."""
    end = time.monotonic() + seconds
    mode = _supported.get((options.url, options.model), Mode.SCHEMA)
    requests: list[str] = []
    while True:
        body = prompt.body(options.model, mode)
        requests.append(sha256(body).hexdigest())
        remaining = min(options.timeout, end - time.monotonic())
        try:
            if remaining <= 0:
                raise Unanswered("timeout", "there was no time left")
            response = post(
                options.url, body, _headers(options), seconds=remaining, allow_external=options.allow_external
            )
        except Unanswered as error:
            fallback = _FALLBACK.get(mode) if error.status in _UNKNOWN else None
            if fallback is not None:
                mode = _supported[options.url, options.model] = fallback
            retry = fallback is not None or error.status >= 500 or error.status == 429
            if retry and len(requests) < 2 and end > time.monotonic():
                continue
            return Reply(error=str(error), says=error.says, requests=tuple(requests), mode=mode)
        return _replied(response, prompt, tuple(requests), mode)


def _replied(response: bytes, prompt: Prompt, requests: tuple[str, ...], mode: Mode) -> Reply:
    digest = sha256(response).hexdigest()
    try:
        return Reply(answer=read(response, prompt.sides), requests=requests, body=digest, mode=mode)
    except Unusable as error:
        return Reply(
            error=str(error), says=f"answers in an unusable form: {error}", requests=requests, body=digest, mode=mode
        )


def _headers(options: Options) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "identity"}
    if options.api_key:
        headers["Authorization"] = f"Bearer {options.api_key}"
    return headers
