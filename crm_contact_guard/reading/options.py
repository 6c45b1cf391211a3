"""The setting ``READER``: the endpoint, the time limits, and what an answer may change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from difflib import get_close_matches
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from crm_contact_guard.conf import CONTACT_GUARD_SCHEDULE, settings
from crm_contact_guard.hosting import logs
from crm_contact_guard.reading.addresses import refusal
from crm_contact_guard.reading.bounds import PRESETS, Bounds

logger = logs.logger(__name__)

DEFAULTS: Final[dict[str, Any]] = {
    "URL": "",
    "MODEL": "",
    "API_KEY": "",
    "TIMEOUT": 20,
    "MAX_DELAY": 60,
    "ALLOW_EXTERNAL": False,
    "LANGUAGE": "",
    "MAY_PROMOTE": None,
    "MAY_DEMOTE": None,
}
#: Notices are sent by the next sweep, so they must be due this many seconds before ``MAX_DELAY``.
SWEEP: Final = float(CONTACT_GUARD_SCHEDULE["contact-guard-sweep"]["schedule"])
_PATH: Final = "/chat/completions"


@dataclass(frozen=True, kw_only=True)
class Options:
    """The reader's options. ``url`` is the full address of the chat endpoint. Times are in seconds."""

    url: str
    model: str
    api_key: str = field(repr=False)
    timeout: float
    max_delay: float
    allow_external: bool
    #: "ja" or "en". If empty, the language of the person who is notified.
    language: str
    bounds: Bounds

    @property
    def patience(self) -> timedelta:
        """How long after the inspection an answer is accepted."""
        return timedelta(seconds=self.max_delay - SWEEP)


def options() -> Options | None:
    """Return the configured reader, or None.

    Invalid settings also result in None, since a mistake in them must not prevent alerts. They are logged, and reported
    by check E015.
    """
    configured = settings.READER
    if not configured:
        return None
    if errors := list(problems(configured)):
        logger.error("The second reader is not asked: %s", "; ".join(errors))
        return None
    value = {**DEFAULTS, **configured}
    url = str(value["URL"]).rstrip("/")
    return Options(
        url=url if url.endswith(_PATH) else url + _PATH,
        model=value["MODEL"],
        api_key=value["API_KEY"],
        timeout=float(value["TIMEOUT"]),
        max_delay=float(value["MAX_DELAY"]),
        allow_external=value["ALLOW_EXTERNAL"],
        language=value["LANGUAGE"],
        bounds=_bounds(value["MAY_PROMOTE"], value["MAY_DEMOTE"]),
    )


def _bounds(promote: bool | float | None, demote: bool | float | None) -> Bounds:
    preset = PRESETS.get(settings.INDUSTRY, PRESETS["general"])
    return Bounds(
        promote_from=preset.promote_from if promote is None else _bound(promote, always=0.0),
        # Higher than any possible score, so that "always" includes a score of 1.
        demote_below=preset.demote_below if demote is None else _bound(demote, always=2.0),
    )


def _bound(value: bool | float, *, always: float) -> float | None:
    if value is True:
        return always
    return None if value is False else float(value)


def problems(value: object) -> Iterator[str]:
    """Yield problems with the setting, each with its key. The value of the API key is never included."""
    if not isinstance(value, Mapping):
        yield 'CONTACT_GUARD["READER"] must be a dict'
        return
    for name in sorted(map(str, set(value) - set(DEFAULTS))):
        near = get_close_matches(name, DEFAULTS, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(DEFAULTS)}"
        yield f'CONTACT_GUARD["READER"] has the unknown key {name!r}; {hint}'
    merged = {**DEFAULTS, **value}
    for name, rule in _RULES.items():
        if says := rule(merged[name]):
            yield f'CONTACT_GUARD["READER"]["{name}"] {says}'
    if _is_number(merged["TIMEOUT"]) and _is_number(merged["MAX_DELAY"]) and _delay(merged["MAX_DELAY"]) == "":
        longest = merged["MAX_DELAY"] - SWEEP
        if merged["TIMEOUT"] > longest:
            yield (
                f'CONTACT_GUARD["READER"]["TIMEOUT"] is {merged["TIMEOUT"]}: at most MAX_DELAY less {SWEEP:.0f} seconds'
                f" ({longest:g}), since a warning may wait that long for the next sweep"
            )
    if not _url(merged["URL"]) and (says := _place(urlsplit(merged["URL"]), external=merged["ALLOW_EXTERNAL"] is True)):
        yield f'CONTACT_GUARD["READER"]["URL"] {says}'


def _place(url: SplitResult, *, external: bool) -> str:
    try:
        address = ip_address(url.hostname or "")
    except ValueError:
        return ""  # a host name is checked on connection
    return refusal(address, secure=url.scheme == "https", external=external)


def _url(value: object) -> str:
    if not isinstance(value, str) or not value:
        return "must be the address of the endpoint, such as http://127.0.0.1:11434/v1"
    try:
        url = urlsplit(value)
        url.port  # noqa: B018 - raises ValueError for an invalid port
    except ValueError:
        return "is not a valid address"
    if url.scheme not in ("http", "https") or not url.hostname:
        return "must begin with http:// or https:// and name a host"
    if url.username is not None or url.query or url.fragment:
        return "must not contain a login or a query: set the key in API_KEY"
    return (
        ""
        if value.isascii() and value.isprintable() and " " not in value
        else "contains characters that are not allowed in an address"
    )


def _model(value: object) -> str:
    if isinstance(value, str) and value.strip() and len(value) <= 255:
        return ""
    return "must name the model, in at most 255 characters"


def _key(value: object) -> str:
    fits = isinstance(value, str) and value.isascii() and (value == "" or (value.isprintable() and " " not in value))
    return "" if fits else "must be text without spaces or line ends"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _timeout(value: Any) -> str:
    return "" if _is_number(value) and value > 0 else "must be a number of seconds above 0"


def _delay(value: Any) -> str:
    fits = _is_number(value) and SWEEP < value <= 3600
    return "" if fits else f"must be a number of seconds above {SWEEP:.0f}, at most 3600"


def _yes_or_no(value: object) -> str:
    return "" if isinstance(value, bool) else "must be True or False"


def _language(value: object) -> str:
    return "" if value in ("", "ja", "en") else 'must be "ja", "en" or empty (the language of the person notified)'


def _limit(value: Any) -> str:
    fits = value is None or isinstance(value, bool) or (_is_number(value) and 0 <= value <= 1)
    return "" if fits else "must be True, False, a score from 0 to 1, or None (the preset of INDUSTRY)"


_RULES: Final[dict[str, Callable[[Any], str]]] = {
    "URL": _url,
    "MODEL": _model,
    "API_KEY": _key,
    "TIMEOUT": _timeout,
    "MAX_DELAY": _delay,
    "ALLOW_EXTERNAL": _yes_or_no,
    "LANGUAGE": _language,
    "MAY_PROMOTE": _limit,
    "MAY_DEMOTE": _limit,
}
