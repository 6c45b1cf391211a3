"""Cache of people's names from a carrier, so that most webhooks need no request to the carrier."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from crm_contact_guard.exceptions import ChannelError

logger = logging.getLogger(__name__)

#: Lifetime of an entry in seconds.
_TTL = 86_400.0
#: Seconds without requests after the carrier failed.
_PAUSE = 60.0
_MAX_ENTRIES = 10_000


@dataclass(frozen=True)
class Profile:
    """A person's profile at a carrier. Both fields may be empty."""

    name: str = ""
    language: str = ""


class Names:
    """Profiles by carrier id. ``ask`` fetches one or raises ChannelError.

    ``of`` never raises; after a failure it returns an empty profile, so that the message is recorded without a name.
    """

    def __init__(self, ask: Callable[[str], Profile]) -> None:
        self._ask = ask
        self._cache: OrderedDict[str, tuple[float, Profile]] = OrderedDict()
        self._paused_until = 0.0
        self._lock = threading.Lock()

    def of(self, person: str) -> Profile:
        """The profile of a carrier's person id, from the cache if it is fresh."""
        now = time.monotonic()
        with self._lock:
            fetched_at, cached = self._cache.get(person, (-_TTL, Profile()))
            if now - fetched_at < _TTL or now < self._paused_until:
                return cached
        try:
            profile = self._ask(person)
        except ChannelError as error:
            if not error.permanent:
                # The log must not contain the person's id.
                logger.warning("Could not fetch a name from the carrier; retrying later: %s", error)
                self._paused_until = now + _PAUSE
                return cached
            # The carrier does not know the person; this is cached as well.
            profile = cached
        with self._lock:
            self._cache[person] = (now, profile)
            self._cache.move_to_end(person)
            while len(self._cache) > _MAX_ENTRIES:
                self._cache.popitem(last=False)
        return profile
