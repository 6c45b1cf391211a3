"""Names of people asked of a carrier, remembered so that most webhooks are answered without a call to the carrier."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from crm_contact_guard.exceptions import ChannelError

logger = logging.getLogger(__name__)

#: Seconds after which a name is asked for again; people rename themselves.
_KEPT = 86_400.0
#: Seconds in which a carrier that just failed is left in peace.
_QUIET = 60.0
_MOST = 10_000


@dataclass(frozen=True)
class Profile:
    """What a carrier tells of a person; both may be empty."""

    name: str = ""
    language: str = ""


class Names:
    """``ask`` gives a carrier id's profile or raises ChannelError; a failure never reaches the caller of ``of``, who
    then gets an empty profile: a message without a name is better than no message."""

    def __init__(self, ask: Callable[[str], Profile]) -> None:
        self._ask = ask
        self._known: OrderedDict[str, tuple[float, Profile]] = OrderedDict()
        self._quiet_until = 0.0
        self._lock = threading.Lock()

    def of(self, person: str) -> Profile:
        """The profile of a person by the carrier's id, from memory if it is fresh."""
        now = time.monotonic()
        with self._lock:
            asked_at, profile = self._known.get(person, (-_KEPT, Profile()))
            if now - asked_at < _KEPT or now < self._quiet_until:
                return profile
        try:
            found = self._ask(person)
        except ChannelError as error:
            if not error.permanent:
                # The person's address stays out of the log.
                logger.warning("A carrier gives no names for now: %s", error)
                self._quiet_until = now + _QUIET
                return profile
            # Not known to the carrier: that is an answer too.
            found = profile
        with self._lock:
            self._known[person] = (now, found)
            self._known.move_to_end(person)
            while len(self._known) > _MOST:
                self._known.popitem(last=False)
        return found
