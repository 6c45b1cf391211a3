"""The fonts for PDF files: where they are, what they are called, and which characters they have (OpenType 1.9)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from crm_contact_guard.conf import settings

#: Where Debian, Fedora and Alpine put Noto Sans CJK. Used if the setting ``PDF_FONTS`` is empty.
USUAL: Final = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto/NotoSansCJK-Regular.ttc",
)
_FAMILY, _TYPOGRAPHIC_FAMILY = 1, 16
_SAMPLE: Final = "あ亜ア"


class FontBroken(Exception):
    """A file can't be read as a font."""


def files() -> Sequence[str]:
    """Return the paths of the fonts, in the order in which they are tried for a character."""
    given = settings.PDF_FONTS
    if given:
        return list(map(str, given))
    return [path for path in USUAL if Path(path).is_file()][:1]


def problems() -> Iterator[str]:
    """Yield what is wrong with the fonts."""
    given = settings.PDF_FONTS
    if not isinstance(given, list | tuple) or not all(isinstance(one, str | Path) for one in given):
        yield 'CONTACT_GUARD["PDF_FONTS"] must be a list of paths'
        return
    found: set[int] = set()
    for path in files():
        try:
            found |= characters(path)
            family(path)
        except FontBroken as error:
            yield f"The font {path} can't be used: {error}"
    if not found.issuperset(map(ord, _SAMPLE)):
        yield "No font for PDF files has Japanese characters"


@lru_cache(maxsize=16)
def family(path: str) -> str:
    """Return the name of the font's family; of a collection, that of its first font. Raise FontBroken."""
    data = _table(path, b"name")
    try:
        count, strings = struct.unpack_from(">HH", data, 2)
        names: dict[int, str] = {}
        for at in range(count):
            platform, _, language, name, length, offset = struct.unpack_from(">6H", data, 6 + 12 * at)
            if platform == 3 and (language == 0x409 or name not in names):
                names[name] = data[strings + offset : strings + offset + length].decode("utf-16-be")
        return names.get(_TYPOGRAPHIC_FAMILY) or names[_FAMILY]
    except (struct.error, KeyError, UnicodeDecodeError):
        raise FontBroken("it has no name") from None


@lru_cache(maxsize=16)
def characters(path: str) -> frozenset[int]:
    """Return the code points for which the font has a glyph. Raise FontBroken."""
    data = _table(path, b"cmap")
    try:
        count = struct.unpack_from(">H", data, 2)[0]
        found: set[int] = set()
        for at in range(count):
            platform, encoding, offset = struct.unpack_from(">HHI", data, 4 + 8 * at)
            if platform == 0 or (platform, encoding) in ((3, 1), (3, 10)):
                form = struct.unpack_from(">H", data, offset)[0]
                if form == 4:
                    found |= _segments(data, offset)
                elif form == 12:
                    found |= _groups(data, offset)
        return frozenset(found)
    except struct.error:
        raise FontBroken("its table of characters is cut off") from None


def _segments(data: bytes, start: int) -> set[int]:
    """Format 4: segments of the Basic Multilingual Plane."""
    double = struct.unpack_from(">H", data, start + 6)[0]
    count = double // 2
    ends = struct.unpack_from(f">{count}H", data, start + 14)
    firsts = struct.unpack_from(f">{count}H", data, start + 16 + double)
    deltas = struct.unpack_from(f">{count}H", data, start + 16 + 2 * double)
    place = start + 16 + 3 * double
    offsets = struct.unpack_from(f">{count}H", data, place)
    found: set[int] = set()
    for at, (first, end, delta, offset) in enumerate(zip(firsts, ends, deltas, offsets, strict=True)):
        for code in range(first, min(end, 0xFFFE) + 1):
            if offset:
                glyph = struct.unpack_from(">H", data, place + 2 * at + offset + 2 * (code - first))[0]
                if glyph:
                    found.add(code)
            elif (code + delta) & 0xFFFF:
                found.add(code)
    return found


def _groups(data: bytes, start: int) -> set[int]:
    """Format 12: groups of all planes."""
    found: set[int] = set()
    for at in range(struct.unpack_from(">I", data, start + 12)[0]):
        first, end, glyph = struct.unpack_from(">III", data, start + 16 + 12 * at)
        found.update(range(first + (glyph == 0), min(end, 0x10FFFF) + 1))
    return found


def _table(path: str, tag: bytes) -> bytes:
    """Return a table of the font, or of the first font in a collection."""
    try:
        with Path(path).open("rb") as file:
            head, start = file.read(16), 0
            if head[:4] == b"ttcf":
                start = struct.unpack_from(">I", head, 12)[0]
                file.seek(start)
                head = file.read(12)
            if head[:4] not in (b"\x00\x01\x00\x00", b"OTTO", b"true"):
                raise FontBroken("it is neither TrueType nor OpenType")
            file.seek(start + 12)
            for _ in range(struct.unpack_from(">H", head, 4)[0]):
                name, _sum, offset, length = struct.unpack(">4sIII", file.read(16))
                if name == tag:
                    file.seek(offset)
                    return file.read(length)
    except (OSError, struct.error) as error:
        raise FontBroken(str(error)) from None
    raise FontBroken(f"it has no table {tag.decode()}")
