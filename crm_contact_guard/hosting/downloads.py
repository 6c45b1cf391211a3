"""Responses that are streamed under both WSGI and ASGI."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import FileResponse, HttpRequest, StreamingHttpResponse


class Download(FileResponse):
    """A FileResponse with an async iterator. Without one, Django warns under ASGI and reads the whole file first."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        parts = iter(self)
        read_next = sync_to_async(lambda: next(parts, None))
        while (part := await read_next()) is not None:
            yield part


def streamed(
    request: HttpRequest, chunks: Iterator[bytes], *, content_type: str, file_name: str
) -> StreamingHttpResponse:
    """Return a response that sends the chunks as a file, each as soon as it is made."""
    return StreamingHttpResponse(
        _in_threads(chunks) if isinstance(request, ASGIRequest) else chunks,
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )


async def _in_threads(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Read the chunks in a thread. Under ASGI, Django would consume a plain iterator before sending anything."""
    following = sync_to_async(lambda: next(chunks, None))
    while (chunk := await following()) is not None:
        yield chunk
