"""Content codings of streams: gzip (RFC 1952) and Zstandard (RFC 8878), as the caller accepts them."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib import import_module
from typing import Any

#: The fastest level halves the size. Slower ones would slow the stream down.
_GZIP_LEVEL = 1
_ZSTD_LEVEL = 1
#: ``wbits`` of zlib for the largest window in the gzip format.
_GZIP = 31
_CODING = re.compile(r"\s*([a-z*-]+)\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?))?\s*", re.IGNORECASE)


def coding_for(accept: str) -> str:
    """Return "zstd", "gzip" or "" (none) for the value of a header ``Accept-Encoding`` (RFC 9110 §12.5.3).

    Zstandard needs Python 3.14 or the package backports.zstd.
    """
    given = {}
    for part in accept.split(","):
        if match := _CODING.fullmatch(part):
            given[match[1].lower()] = float(match[2] or 1)
    possible = [coding for coding in ("zstd", "gzip") if coding != "zstd" or _zstd() is not None]
    wanted = [coding for coding in possible if given.get(coding, given.get("*", 0)) > 0]
    return max(wanted, key=lambda coding: given.get(coding, given.get("*", 0)), default="")


def compressed(chunks: Iterator[bytes], coding: str) -> Iterator[bytes]:
    """Yield the chunks in this coding. Each is flushed, so that the caller can read what was sent."""
    if not coding:
        yield from chunks
        return
    compress, flush, finish = _gzip() if coding == "gzip" else _zstandard()
    for chunk in chunks:
        yield compress(chunk) + flush()
    yield finish()


def _gzip() -> tuple[Callable[[bytes], bytes], Callable[[], bytes], Callable[[], bytes]]:
    one = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP)
    return one.compress, lambda: one.flush(zlib.Z_SYNC_FLUSH), one.flush


def _zstandard() -> tuple[Callable[[bytes], bytes], Callable[[], bytes], Callable[[], bytes]]:
    kind = _zstd().ZstdCompressor
    one = kind(level=_ZSTD_LEVEL)
    return one.compress, lambda: one.flush(kind.FLUSH_BLOCK), one.flush


@lru_cache(maxsize=1)
def _zstd() -> Any:
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return import_module(name)
        except ImportError:
            continue
    return None
