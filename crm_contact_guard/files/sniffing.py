"""Detect a file's type by its content, since its name and declared type can't be trusted.

Signatures follow https://mimesniff.spec.whatwg.org and the formats' standards. Only types that a company would allow
need to be distinguished. Anything else is ``application/octet-stream``, or a type that is known to be dangerous.
"""

from __future__ import annotations

import io
import zipfile

UNKNOWN = "application/octet-stream"
#: Number of leading bytes examined.
HEAD = 4096

_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"BM", "image/bmp"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"OggS", "audio/ogg"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (0, b"MZ", "application/x-msdownload"),
    (0, b"\x7fELF", "application/x-executable"),
    (0, b"#!", "text/x-script"),
    (0, b"Rar!", "application/vnd.rar"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"\x1f\x8b", "application/gzip"),
)
#: Types by the major brand that follows "ftyp" at byte 4 (ISO/IEC 14496-12).
_BRANDS = {
    b"heic": "image/heic", b"heix": "image/heic", b"mif1": "image/heif", b"avif": "image/avif",
    b"M4A ": "audio/mp4", b"qt  ": "video/quicktime", b"3gp4": "video/3gpp", b"3gp5": "video/3gpp",
}  # fmt: skip
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_OFFICE = {
    "word/": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ppt/": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
_MARKUP = (b"<!doctype html", b"<html", b"<head", b"<body", b"<script", b"<svg", b"<?xml", b"<iframe", b"<img")
#: File name extensions of each type. The first is appended to a name without an extension.
ENDINGS = {
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "image/gif": (".gif",),
    "image/webp": (".webp",),
    "image/bmp": (".bmp",),
    "image/tiff": (".tiff", ".tif"),
    "image/heic": (".heic",),
    "image/heif": (".heif", ".heic"),
    "image/avif": (".avif",),
    "application/pdf": (".pdf",),
    "text/plain": (".txt", ".csv", ".md", ".log"),
    "audio/mpeg": (".mp3",),
    "audio/mp4": (".m4a", ".mp4"),
    "audio/ogg": (".ogg", ".oga", ".opus"),
    "audio/wav": (".wav",),
    "audio/amr": (".amr",),
    "video/mp4": (".mp4", ".m4v"),
    "video/quicktime": (".mov",),
    "video/3gpp": (".3gp",),
    "video/webm": (".webm", ".mkv"),
    _OFFICE["word/"]: (".docx",),
    _OFFICE["xl/"]: (".xlsx",),
    _OFFICE["ppt/"]: (".pptx",),
}


def content_type_of(content: bytes) -> str:
    """Return the content type detected from the bytes."""
    head = content[:HEAD]
    for at, signature, content_type in _SIGNATURES:
        if head.startswith(signature, at):
            return content_type
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12], UNKNOWN)
    if head[:4] == b"PK\x03\x04":
        return _zip(content)
    return _text(content)


def _zip(content: bytes) -> str:
    """Return the type of an Office document without macros, or ``application/zip`` for any other archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return "application/zip"
    if "[Content_Types].xml" not in names or any(name.lower().endswith("vbaproject.bin") for name in names):
        return "application/zip"
    kinds = {kind for folder, kind in _OFFICE.items() if any(name.startswith(folder) for name in names)}
    return kinds.pop() if len(kinds) == 1 else "application/zip"


def _text(content: bytes) -> str:
    head = content[:HEAD]
    if head.lstrip(b"\xef\xbb\xbf \t\r\n\x0c").lower().startswith(_MARKUP):
        return "text/html"
    # Bytes that the WHATWG standard calls binary data bytes.
    binary = {*range(0x09), 0x0B, *range(0x0E, 0x1B), *range(0x1C, 0x20)}
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "text/plain"
    return UNKNOWN if not head or binary.intersection(head) else "text/plain"
