"""Read a carrier's response in pieces, with limits on its size and on the total time."""

from __future__ import annotations

import time
from collections.abc import Iterable

from crm_contact_guard.exceptions import ChannelError

#: Seconds for a whole file, because socket timeouts start anew with each byte. Must be less than the five minutes for
#: which a worker holds its lease on a file.
WITHIN = 180.0


def bounded(pieces: Iterable[bytes], *, most: int, within: float = WITHIN) -> bytes:
    """Join and return the pieces of a body, which must be yielded as they arrive.

    Raises a permanent ChannelError above ``most`` bytes, and a temporary one after ``within`` seconds.
    """
    ends = time.monotonic() + within
    content = bytearray()
    for piece in pieces:
        content += piece
        if len(content) > most:
            raise ChannelError(f"the file is larger than {most} bytes", permanent=True, detail={"code": "too-large"})
        if time.monotonic() > ends:
            raise ChannelError(f"the file was not complete after {within:.0f} seconds", permanent=False)
    return bytes(content)
