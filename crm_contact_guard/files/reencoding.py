"""Re-encode pictures (setting ``REENCODE_IMAGES``).

Re-encoding removes the location, the camera's serial number, comments and any data appended to the file. It needs
Pillow (extra ``images``), which is imported on first use.
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

#: Larger pictures are refused without decoding them, since they may be decompression bombs.
MAX_PIXELS = 60_000_000
#: Pillow's name of the format and the options for saving it, by content type.
_FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    "image/jpeg": ("JPEG", {"quality": 90, "optimize": True}),
    "image/png": ("PNG", {}),
    "image/webp": ("WEBP", {"quality": 90}),
    "image/gif": ("GIF", {}),
    "image/bmp": ("BMP", {}),
    "image/tiff": ("TIFF", {}),
}
#: Exceptions that Pillow raises on damaged or malicious pictures.
_DAMAGED = (
    OSError, ValueError, SyntaxError, EOFError, OverflowError, TypeError, LookupError, RuntimeError, MemoryError,
    struct.error,
)  # fmt: skip


def is_available() -> bool:
    """Whether the extra is installed."""
    return find_spec("PIL") is not None


class UnusablePictureError(Exception):
    """The picture is damaged or has more than ``MAX_PIXELS``."""


def reencoded(content: bytes, content_type: str) -> bytes | None:
    """Return the re-encoded picture in the same format, or None if the format is not supported.

    The picture is rotated according to its EXIF orientation and keeps all its frames. Raise UnusablePictureError if it
    is damaged or has too many pixels.
    """
    supported = _FORMATS.get(content_type)
    if supported is None:
        return None
    from PIL import Image  # noqa: PLC0415 - comes with the extra

    name, options = supported
    # Some cameras write MPO, which is a JPEG followed by more pictures. Viewers show only the first one.
    formats = (name, "MPO") if name == "JPEG" else (name,)
    output = io.BytesIO()
    try:
        with closing(Image.open(io.BytesIO(content), formats=formats)) as picture:
            frames = getattr(picture, "n_frames", 1) if name in ("GIF", "WEBP") else 1
            if picture.width * picture.height * frames > MAX_PIXELS:
                raise UnusablePictureError(f"{picture.width} × {picture.height} × {frames} pixels")
            if frames > 1:
                _write_animation(picture, output, name, options)
            else:
                _write(picture, output, name, options)
    except (Image.DecompressionBombError, *_DAMAGED) as error:
        raise UnusablePictureError(f"{type(error).__name__}: {error}") from error
    return output.getvalue()


def _write(picture: ImageFile, output: io.BytesIO, name: str, options: dict[str, Any]) -> None:
    from PIL import ImageOps  # noqa: PLC0415 - comes with the extra

    colours = picture.info.get("icc_profile")
    rotated = ImageOps.exif_transpose(picture)  # always a copy
    _strip(rotated)
    rotated.save(output, name, **options, **({"icc_profile": colours} if colours else {}))


def _write_animation(picture: ImageFile, output: io.BytesIO, name: str, options: dict[str, Any]) -> None:
    from PIL import ImageSequence  # noqa: PLC0415 - comes with the extra

    repeats = {"loop": picture.info["loop"]} if "loop" in picture.info else {}
    frames, times = [], []
    for frame in ImageSequence.Iterator(picture):
        times.append(frame.info.get("duration", 100))
        frames.append(frame.copy())
        _strip(frames[-1])
    frames[0].save(output, name, save_all=True, append_images=frames[1:], duration=times, **repeats, **options)


def _strip(picture: Image) -> None:
    """Remove all metadata except transparency, since Pillow would write it to the new file."""
    picture.info = {key: value for key, value in picture.info.items() if key == "transparency"}
