"""Pictures made anew from their pixels (setting ``REENCODE_IMAGES``): no place, no camera's serial number, no comment,
and nothing that was hidden behind the picture goes along.

Needs pillow (extra ``images``), which is imported on first use.
"""

from __future__ import annotations

import io
import struct
from contextlib import closing
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

#: More is no picture that somebody took; nothing of it is decoded.
MAX_PIXELS = 60_000_000
#: By content type: Pillow's name of the format, and how it is written.
_WRITTEN: dict[str, tuple[str, dict[str, Any]]] = {
    "image/jpeg": ("JPEG", {"quality": 90, "optimize": True}),
    "image/png": ("PNG", {}),
    "image/webp": ("WEBP", {"quality": 90}),
    "image/gif": ("GIF", {}),
    "image/bmp": ("BMP", {}),
    "image/tiff": ("TIFF", {}),
}
#: What a damaged or hostile picture makes Pillow raise.
_DAMAGED = (
    OSError, ValueError, SyntaxError, EOFError, OverflowError, TypeError, LookupError, RuntimeError, MemoryError,
    struct.error,
)  # fmt: skip


def is_available() -> bool:
    """Whether the extra is installed."""
    return find_spec("PIL") is not None


class UnusablePictureError(Exception):
    """The picture is damaged, or larger than anything that somebody takes."""


def reencoded(content: bytes, content_type: str) -> bytes | None:
    """The picture in its own format, turned as its camera said; of a moving one all frames.

    None for a kind that can't be made anew. Raises UnusablePictureError.
    """
    known = _WRITTEN.get(content_type)
    if known is None:
        return None
    from PIL import Image  # noqa: PLC0415 - comes with the extra

    name, options = known
    # MPO is what some cameras write: a JPEG with more pictures behind it, of which the first is the one seen.
    formats = (name, "MPO") if name == "JPEG" else (name,)
    held = io.BytesIO()
    try:
        with closing(Image.open(io.BytesIO(content), formats=formats)) as picture:
            frames = getattr(picture, "n_frames", 1) if name in ("GIF", "WEBP") else 1
            if picture.width * picture.height * frames > MAX_PIXELS:
                raise UnusablePictureError(f"{picture.width} × {picture.height} × {frames} pixels")
            if frames > 1:
                _write_moving(picture, held, name, options)
            else:
                _write(picture, held, name, options)
    except (Image.DecompressionBombError, *_DAMAGED) as error:
        raise UnusablePictureError(f"{type(error).__name__}: {error}") from error
    return held.getvalue()


def _write(picture: ImageFile, held: io.BytesIO, name: str, options: dict[str, Any]) -> None:
    from PIL import ImageOps  # noqa: PLC0415 - comes with the extra

    colours = picture.info.get("icc_profile")
    turned = ImageOps.exif_transpose(picture)  # always a copy
    _forget(turned)
    turned.save(held, name, **options, **({"icc_profile": colours} if colours else {}))


def _write_moving(picture: ImageFile, held: io.BytesIO, name: str, options: dict[str, Any]) -> None:
    from PIL import ImageSequence  # noqa: PLC0415 - comes with the extra

    repeats = {"loop": picture.info["loop"]} if "loop" in picture.info else {}
    frames, times = [], []
    for frame in ImageSequence.Iterator(picture):
        times.append(frame.info.get("duration", 100))
        frames.append(frame.copy())
        _forget(frames[-1])
    frames[0].save(held, name, save_all=True, append_images=frames[1:], duration=times, **repeats, **options)


def _forget(picture: Image) -> None:
    """Leave pixels and transparency: what else the file told, its writer would write again."""
    picture.info = {key: value for key, value in picture.info.items() if key == "transparency"}
