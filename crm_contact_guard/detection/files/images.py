"""Reads QR and similar codes in images from untrusted bytes, within fixed limits.

Needs the extra ``images`` (zxing-cpp, pillow); both are imported on first use.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

#: A phone's photo has 3–12 MB and 12–50 megapixels; larger files are rejected.
MAX_BYTES = 20 * 1024 * 1024
MAX_PIXELS = 60_000_000
#: Images are scaled down so that neither side exceeds this many pixels. A phone couldn't scan a code that is unreadable
#: at this size.
MAX_EDGE = 1_800
MAX_FRAMES = 6
MAX_CODES = 16
MAX_TEXT = 4_000  # a QR code holds 4,296 alphanumeric characters at most (ISO/IEC 18004)
TECHNIQUE = "qr_image"
_FORMATS = frozenset({"PNG", "JPEG", "MPO", "GIF", "WEBP", "BMP", "TIFF", "AVIF"})


class UnreadableImageError(Exception):
    """The bytes are not an image of a supported format, or the image is damaged."""


class ImageTooLargeError(UnreadableImageError):
    """The bytes or the pixels exceed ``MAX_BYTES`` or ``MAX_PIXELS``; nothing was decoded."""


def read(data: bytes) -> list[str]:
    """Return the text of each code in an image, in the order found and without duplicates.

    Raises ``ImageTooLargeError`` or ``UnreadableImageError``, and ``ImportError`` without the extra ``images``.
    """
    if len(data) > MAX_BYTES:
        raise ImageTooLargeError(f"{len(data)} bytes")
    texts: dict[str, None] = {}
    try:
        for number, frame in enumerate(_frames(data)):
            for text in _codes(frame, thoroughly=number == 0):  # later frames get the quick attempt only
                texts.setdefault(text[:MAX_TEXT])
                if len(texts) >= MAX_CODES:
                    return list(texts)
    except (ImportError, ImageTooLargeError):
        raise
    except Exception as error:
        # The exceptions that Pillow's two dozen readers raise for damaged images aren't documented.
        if texts:
            return list(texts)  # a later frame is damaged; keep what was read
        raise UnreadableImageError(type(error).__name__) from error
    return list(texts)


def _frames(data: bytes) -> Iterator[Image]:
    """Yield greyscale frames on a white background, scaled to at most ``MAX_EDGE``."""
    from PIL import Image, ImageSequence

    Image.init()
    try:
        with Image.open(io.BytesIO(data), formats=sorted(_FORMATS & Image.OPEN.keys())) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise ImageTooLargeError(f"{picture.width}x{picture.height}")
            picture.draft("L", (MAX_EDGE, MAX_EDGE))  # JPEG: decode at a fraction of the size and cost
            for number, frame in enumerate(ImageSequence.Iterator(picture)):
                if number >= MAX_FRAMES:
                    return
                yield _grey(frame)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageTooLargeError("pixels") from error


def _grey(frame: Image) -> Image:
    from PIL import Image

    frame.load()
    picture = frame.copy()
    picture.thumbnail((MAX_EDGE, MAX_EDGE))
    if "transparency" in picture.info or picture.mode in ("RGBA", "LA", "PA"):
        picture = picture.convert("RGBA")
        # Transparent parts of a code show the background, which is white.
        white = Image.new("RGBA", picture.size, "white")
        white.alpha_composite(picture)
        picture = white
    return picture.convert("L")


def _codes(picture: Image, *, thoroughly: bool) -> list[str]:
    """Return the text of each code in a frame, read unchanged or, if that fails, with corrections for poor photos."""
    import zxingcpp

    kinds = zxingcpp.BarcodeFormat
    formats = zxingcpp.BarcodeFormats(
        (kinds.QRCode, kinds.MicroQRCode, kinds.RMQRCode, kinds.DataMatrix, kinds.Aztec, kinds.PDF417)
    )
    for variant in _variants(picture) if thoroughly else (picture,):
        codes = zxingcpp.read_barcodes(variant, formats=formats, text_mode=zxingcpp.TextMode.Plain)
        texts = [code.text for code in codes if code.valid and code.text]
        if texts:
            return texts
    return []


def _variants(picture: Image) -> Iterator[Image]:
    from PIL import Image, ImageFilter, ImageOps

    yield picture
    padded = ImageOps.expand(
        ImageOps.autocontrast(picture, cutoff=2), border=24, fill=255
    )  # for a code without a quiet zone
    yield padded
    edge = max(picture.size)
    if edge < 700:
        yield padded.resize((padded.width * 2, padded.height * 2), Image.Resampling.BICUBIC)
    else:
        yield padded.resize((padded.width // 2, padded.height // 2), Image.Resampling.BOX)
    yield padded.filter(ImageFilter.MedianFilter(3))
    yield padded.filter(ImageFilter.UnsharpMask(radius=3, percent=250, threshold=0))
