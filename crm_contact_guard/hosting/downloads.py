"""File responses that are streamed under both WSGI and ASGI."""

from __future__ import annotations

from collections.abc import AsyncIterator

from asgiref.sync import sync_to_async
from django.http import FileResponse


class Download(FileResponse):
    """A FileResponse with an async iterator. Without one, Django warns under ASGI and reads the whole file first."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        parts = iter(self)
        read_next = sync_to_async(lambda: next(parts, None))
        while (part := await read_next()) is not None:
            yield part
