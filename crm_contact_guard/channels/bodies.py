"""Read a carrier's response in pieces, limited in size and in total time."""

from __future__ import annotations

import time
from collections.abc import Iterable

from crm_contact_guard.exceptions import ChannelError

#: Seconds for a whole file. Time-outs of sockets begin anew with each byte; a worker holds a file for five minutes.
WITHIN = 180.0


def bounded(pieces: Iterable[bytes], *, most: int, within: float = WITHIN) -> bytes:
    """The whole body. ``pieces`` must be yielded as they arrive.

    Raises ChannelError: permanent above ``most`` bytes, temporary after ``within`` seconds.
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
