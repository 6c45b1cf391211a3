"""A file as a response that leaves memory small under every server."""

from __future__ import annotations

from collections.abc import AsyncIterator

from asgiref.sync import sync_to_async
from django.http import FileResponse


class Download(FileResponse):
    """Under ASGI Django would warn, and read the whole file, before sending anything: here a part at a time."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        parts = iter(self)
        following = sync_to_async(lambda: next(parts, None))
        while (part := await following()) is not None:
            yield part
