"""Codes in images: drawn or photographed, read within limits, and scanned like a text."""

from __future__ import annotations

import io
import random

import pytest
import segno
from PIL import Image, ImageFilter

from crm_contact_guard.detection.files import images

LINE = "https://line.me/ti/p/kQ7wZ3xR9a"
WHATSAPP = "https://wa.me/818012345678"


def code(text: str = LINE, scale: int = 6) -> Image.Image:
    buffer = io.BytesIO()
    segno.make(text).save(buffer, kind="png", scale=scale)
    return Image.open(buffer).convert("L")


def encoded(picture: Image.Image, kind: str = "PNG", **options: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def photographed(seed: int, blur: float, angle: float) -> bytes:
    """A photo of a code taken at an angle: perspective, blur, uneven light, noise, JPEG artefacts."""
    noise = random.Random(seed)
    picture = Image.new("L", (900, 700), 170)
    picture.paste(code(scale=9), (250, 180))
    picture = picture.rotate(angle, fillcolor=160)
    picture = picture.transform(
        (900, 700), Image.Transform.QUAD, (60, 20, 10, 690, 880, 640, 850, 70), Image.Resampling.BICUBIC
    ).filter(ImageFilter.GaussianBlur(blur))
    pixels = picture.load()
    assert pixels is not None
    for y in range(700):
        for x in range(900):
            lit = pixels[x, y] * (0.45 + 0.5 * x / 900) + noise.gauss(0, 9)  # type: ignore[operator]
            pixels[x, y] = max(0, min(255, int(lit)))
    return encoded(picture, "JPEG", quality=45)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"])
def test_every_common_format_is_read(kind: str) -> None:
    assert images.read(encoded(code(), kind)) == [LINE]


@pytest.mark.parametrize("angle", [7, 33, 45, 90, 133, 180, 271])
def test_rotated_codes(angle: int) -> None:
    assert images.read(encoded(code().rotate(angle, expand=True, fillcolor=255))) == [LINE]


@pytest.mark.parametrize(("blur", "angle"), [(1.0, 5), (1.6, 17), (2.2, 40), (2.8, 75)])
def test_photographed_codes(blur: float, angle: float) -> None:
    assert images.read(photographed(round(angle), blur, angle)) == [LINE]


def test_inverted_transparent_small_and_cropped_codes() -> None:
    inverted = code().point(lambda value: 255 - value)
    assert images.read(encoded(inverted)) == [LINE]
    drawn = Image.new("RGBA", code().size, (0, 0, 0, 0))
    drawn.paste((0, 0, 0, 255), mask=inverted)
    assert images.read(encoded(drawn)) == [LINE]
    page = Image.new("L", (3000, 2200), 230)
    page.paste(code(scale=8), (2400, 300))
    assert images.read(encoded(page)) == [LINE]
    assert images.read(encoded(code().crop((24, 24, 174, 174)))) == [LINE]


def test_each_of_several_codes_is_read_once() -> None:
    page = Image.new("L", (1000, 500), 255)
    page.paste(code(LINE), (20, 20))
    page.paste(code(WHATSAPP), (500, 20))
    page.paste(code(LINE), (20, 270))
    assert sorted(images.read(encoded(page))) == sorted([LINE, WHATSAPP])


def test_an_image_without_a_code_has_no_text() -> None:
    assert images.read(encoded(Image.effect_noise((400, 300), 80))) == []


def test_a_code_in_a_later_frame_is_read() -> None:
    frames = [Image.new("L", code().size, 255), code()]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    assert images.read(buffer.getvalue()) == [LINE]


@pytest.mark.parametrize("data", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 60, b"%PDF-1.7"])
def test_bytes_that_are_not_an_image_are_unreadable(data: bytes) -> None:
    with pytest.raises(images.UnreadableImageError):
        images.read(data)


def test_a_truncated_image_is_unreadable() -> None:
    with pytest.raises(images.UnreadableImageError):
        images.read(encoded(code())[:300])


def test_too_many_bytes_or_pixels_are_rejected_before_decoding() -> None:
    with pytest.raises(images.ImageTooLargeError):
        images.read(b"\0" * (images.MAX_BYTES + 1))
    bomb = encoded(Image.new("1", (20_000, 20_000)))
    assert len(bomb) < 1_000_000
    with pytest.raises(images.ImageTooLargeError):
        images.read(bomb)
