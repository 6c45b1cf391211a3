"""Uploaded pictures are re-encoded if the company wants it, which keeps the image and removes its metadata."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, PngImagePlugin

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import FileIn
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.files import reencoding, uploads
from tests.file_samples import PNG, pdf, qr_png

HIDDEN = b"<script>steal()</script>"
PLACE = b"35.6812N139.7671E"


@pytest.fixture(autouse=True)
def _on(settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "REENCODE_IMAGES": True}


def read(name: str, content: bytes) -> FileIn:
    [file] = uploads.read([SimpleUploadedFile(name, content)], registry.channel("chat"))
    return file


def photograph(kind: str, **options: Any) -> bytes:
    """A wide picture, red at the left, with EXIF orientation, location and camera."""
    picture = Image.new("RGB", (40, 20), "blue")
    picture.paste("red", (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees
    exif[0x010E] = PLACE.decode()
    held = io.BytesIO()
    picture.save(held, kind, exif=exif, **options)
    return held.getvalue() + HIDDEN


def shown(content: bytes) -> Any:
    return Image.open(io.BytesIO(content))


def test_the_extra_is_found() -> None:
    assert reencoding.is_available()


@pytest.mark.parametrize(("most", "fits"), [(1200, True), (1199, False)])
def test_the_pixels_of_all_frames_count_and_their_order_stays(
    monkeypatch: pytest.MonkeyPatch, most: int, fits: bool
) -> None:
    monkeypatch.setattr(reencoding, "MAX_PIXELS", most)
    held = io.BytesIO()
    first, *others = (Image.new("RGB", (20, 20), colour) for colour in ("red", "blue", "green"))
    first.save(held, "GIF", save_all=True, append_images=others)
    if not fits:
        with pytest.raises(InvalidMessage, match="too many pixels"):
            read("a.gif", held.getvalue())
        return

    kept = shown(read("a.gif", held.getvalue()).content)

    assert kept.n_frames == 3
    assert kept.convert("RGB").getpixel((5, 5)) == (255, 0, 0)


def test_of_a_cameras_jpeg_with_several_pictures_the_first_is_kept() -> None:
    held = io.BytesIO()
    first, second = (Image.new("RGB", (40, 20), colour) for colour in ("red", "blue"))
    first.save(held, "MPO", save_all=True, append_images=[second])
    assert shown(held.getvalue()).format == "MPO"

    kept = shown(read("a.jpg", held.getvalue()).content)

    assert (kept.format, getattr(kept, "n_frames", 1)) == ("JPEG", 1)
    assert kept.getpixel((5, 5))[0] > 200


@pytest.mark.parametrize(
    ("kind", "name"), [("JPEG", "a.jpg"), ("PNG", "a.png"), ("WEBP", "a.webp"), ("TIFF", "a.tiff")]
)
def test_reencoding_keeps_the_image_and_removes_metadata(kind: str, name: str) -> None:
    options: dict[str, Any] = {}
    if kind == "PNG":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_text("Comment", PLACE.decode())
    if kind == "JPEG":
        options["comment"] = PLACE
    given = photograph(kind, **options)
    assert PLACE in given

    file = read(name, given)

    assert PLACE not in file.content
    assert HIDDEN not in file.content
    picture = shown(file.content)
    assert (picture.format, picture.size) == (kind, (20, 40))
    red, _green, blue = picture.convert("RGB").getpixel((10, 5))
    assert red > 2 * blue, "turned the wrong way"
    assert not {0x0112, 0x010E} & set(picture.getexif())


def test_an_animation_keeps_its_frames() -> None:
    frames = [Image.new("RGB", (10, 10), colour) for colour in ("red", "green", "blue")]
    held = io.BytesIO()
    frames[0].save(held, "GIF", save_all=True, append_images=frames[1:], duration=[50, 100, 150], loop=0, comment=PLACE)

    picture = shown(read("a.gif", held.getvalue()).content)

    assert picture.n_frames == 3
    assert b"35.68" not in picture.info.get("comment", b"")


def test_codes_stay_readable() -> None:
    from crm_contact_guard.detection.files import images

    assert images.read(read("code.png", qr_png("https://line.me/ti/p/~x")).content) == ["https://line.me/ti/p/~x"]


def test_the_error_for_a_damaged_picture_names_it() -> None:
    with pytest.raises(InvalidMessage, match=r"a\.png is damaged or has too many pixels"):
        read("a.png", PNG)


def test_a_picture_with_too_many_pixels_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    held = io.BytesIO()
    Image.new("1", (10_000, 6_001)).save(held, "PNG")

    with pytest.raises(InvalidMessage, match="too many pixels"):
        read("a.png", held.getvalue())
    assert len(held.getvalue()) < 100_000


def test_a_format_that_can_not_be_reencoded_is_refused() -> None:
    heic = b"\0\0\0\x18ftypheic" + b"\0" * 40

    assert reencoding.reencoded(heic, "image/heic") is None
    with pytest.raises(InvalidMessage, match="file type that can't"):
        read("a.heic", heic)


def test_other_files_and_companies_without_the_setting_are_not_affected(settings: Any) -> None:
    assert read("a.pdf", pdf("Hello")).content == pdf("Hello")
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "REENCODE_IMAGES": False}
    assert read("a.png", PNG).content == PNG
