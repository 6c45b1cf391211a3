"""The targets in the setting ``NOTIFY``: places outside the app that are told about teams' alerts, by name.

The addresses contain secrets, so they are only in the settings. Rows, pages and logs contain a target's name.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from django.utils import timezone

from crm_contact_guard.conf import settings
from crm_contact_guard.directory.models import Team
from crm_contact_guard.notices.models import Cadence, Notice

WAYS: Final = ("slack", "teams", "webhook")
#: Beginning of ``Notice.last_error`` if a target answered that it no longer exists.
GONE: Final = "gone"
#: A target that nothing has reached for this long gets no new notices, until one is replayed and reaches it.
DEAD_AFTER: Final = timedelta(days=5)
_NAMES: Final = {"WAY", "URL", "SECRETS", "TEAMS", "TOPICS", "DETAIL", "ALLOW_PRIVATE", "LANGUAGE"}
_PREFIX: Final = "whsec_"


@dataclass(frozen=True, kw_only=True)
class Target:
    """One target. ``name`` is its key in the setting. ``repr`` contains no secrets."""

    name: str
    way: str
    url: str = field(repr=False)
    #: The keys that sign a webhook. While keys are replaced, there are two.
    secrets: Sequence[bytes] = field(default=(), repr=False)
    #: Keys of teams; empty for all.
    teams: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset({"alert_serious"})
    #: Whether the target is told who did what. If not, it gets the topic and a link.
    detail: bool = False
    allow_private: bool = False
    language: str = ""


def recipient(name: str) -> str:
    """Return what ``Notice.recipient`` is for a target."""
    return f"target:{name}"


def named(name: str) -> Target | None:
    """Return a target; None if the settings don't have it or it can't be used."""
    given = _given().get(name)
    return None if given is None or any(_problems(name, given)) else _target(name, given)


def of_team(team: Team | None, topic: str) -> Sequence[Target]:
    """Return the targets that are told about a topic in a team, without those that no longer exist."""
    found = [target for name in _given() if (target := named(name)) is not None]
    key = team.key if team is not None else None
    told = [target for target in found if topic in target.topics and (not target.teams or key in target.teams)]
    return [target for target in told if not is_off(target.name)]


def is_off(name: str) -> bool:
    """Whether a target gets no new notices: it is gone, or nothing has reached it for ``DEAD_AFTER``."""
    return is_gone(name) or is_dead(name)


def is_dead(name: str) -> bool:
    """Whether a notice has failed, and nothing has reached the target since, for ``DEAD_AFTER``."""
    first = first_failure(name)
    return first is not None and first.created_at is not None and first.created_at <= timezone.now() - DEAD_AFTER


def first_failure(name: str) -> Notice | None:
    """Return the oldest notice that has failed since a notice last reached the target; None if there is none."""
    rows = Notice.objects.filter(recipient=recipient(name))
    last = rows.filter(state=Notice.State.SENT).order_by("-sent_at").values_list("sent_at", flat=True).first()
    failed = rows.exclude(last_error="").filter(state__in=(Notice.State.FAILED, Notice.State.QUEUED))
    # One that failed before the last success failed for a reason of its own.
    return (failed.filter(created_at__gt=last) if last is not None else failed).order_by("created_at", "pk").first()


def names() -> Sequence[str]:
    """Return the names of all targets that can be used."""
    return [name for name in _given() if named(name) is not None]


def is_gone(name: str) -> bool:
    """Whether the target answered the last notice that it no longer exists (410)."""
    ended = (Notice.State.SENT, Notice.State.FAILED)
    last = Notice.objects.filter(recipient=recipient(name), state__in=ended).order_by("-pk").first()
    return last is not None and last.state == Notice.State.FAILED and last.last_error.startswith(GONE)


def personal() -> Sequence[Target]:
    """Return the targets that reach one person."""
    return []


def label(name: str) -> str:
    """Return a target's name as people read it."""
    return name


def problems() -> Iterator[str]:
    """Yield problems with the setting, each with its key. Addresses and secrets are never included."""
    values = settings.NOTIFY
    if not isinstance(values, Mapping):
        yield 'CONTACT_GUARD["NOTIFY"] must be a dict'
        return
    for name in sorted(map(str, set(values) - {"email", "cadence", "quiet", "targets"})):
        yield f'CONTACT_GUARD["NOTIFY"] has the unknown key {name!r}; known: email, cadence, quiet, targets'
    for name in ("email", "quiet"):
        if not isinstance(values.get(name, True), bool):
            yield f'CONTACT_GUARD["NOTIFY"]["{name}"] must be True or False'
    cadence = values.get("cadence", {})
    if not isinstance(cadence, Mapping) or any(value not in Cadence.values for value in cadence.values()):
        yield f'CONTACT_GUARD["NOTIFY"]["cadence"] must be a dict of topics and one of {", ".join(Cadence.values)}'
    if not isinstance(values.get("targets", {}), Mapping):
        yield 'CONTACT_GUARD["NOTIFY"]["targets"] must be a dict'
    for name, given in _given().items():
        yield from (f'CONTACT_GUARD["NOTIFY"]["targets"][{name!r}] {says}' for says in _problems(name, given))


def _given() -> Mapping[str, Any]:
    found = settings.NOTIFY.get("targets", {}) if isinstance(settings.NOTIFY, Mapping) else {}
    return found if isinstance(found, Mapping) else {}


def _target(name: str, given: Mapping[str, Any]) -> Target:
    return Target(
        name=name,
        way=given["WAY"],
        url=given["URL"],
        secrets=[_key(secret) for secret in given.get("SECRETS", ())],
        teams=frozenset(map(str, given.get("TEAMS", ()))),
        topics=frozenset(given.get("TOPICS", ("alert_serious",))),
        detail=given.get("DETAIL", False) is True,
        allow_private=given.get("ALLOW_PRIVATE", False) is True,
        language=given.get("LANGUAGE", ""),
    )


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)


def _problems(name: object, given: object) -> Iterator[str]:
    if not isinstance(name, str) or not 0 < len(name) <= 32 or name in ("email", "in_app"):
        yield 'needs another name: at most 32 characters, and neither "email" nor "in_app"'
    if not isinstance(given, Mapping):
        yield "must be a dict"
        return
    for unknown in sorted(map(str, set(given) - _NAMES)):
        yield f"has the unknown key {unknown!r}; known: {', '.join(sorted(_NAMES))}"
    rules: dict[str, tuple[Callable[[Any], bool], str]] = {
        "WAY": (lambda value: value in WAYS, f"must be one of {', '.join(WAYS)}"),
        "URL": (_is_url, "must be an address that begins with https:// or http://, without a login"),
        "SECRETS": (_are_secrets, f"must be a list of texts such as {_PREFIX}…, each of at least 24 bytes in base64"),
        "TEAMS": (_are_texts, "must be a list of teams' keys"),
        "TOPICS": (_are_texts, "must be a list of topics"),
        "DETAIL": (lambda value: isinstance(value, bool), "must be True or False"),
        "ALLOW_PRIVATE": (lambda value: isinstance(value, bool), "must be True or False"),
        "LANGUAGE": (lambda value: value in ("", "en", "ja"), 'must be "en", "ja" or empty'),
    }
    for key, (fits, says) in rules.items():
        if (key in given or key in ("WAY", "URL")) and not fits(given.get(key)):
            yield f"[{key!r}] {says}"
    if given.get("WAY") == "webhook" and not given.get("SECRETS"):
        yield "needs SECRETS, with which the receiver checks who sent a notice"


def _is_url(value: Any) -> bool:
    try:
        url = urlsplit(value) if isinstance(value, str) and value.isascii() and value.isprintable() else None
        return url is not None and url.scheme in ("http", "https") and bool(url.hostname) and url.username is None
    except ValueError:
        return False


def _are_secrets(value: Any) -> bool:
    try:
        return isinstance(value, list | tuple) and all(len(_key(secret)) >= 24 for secret in value)
    except (ValueError, AttributeError):
        return False


def _are_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)
