"""The type of a file by its bytes: every type that is told apart, and what only looks like one."""

from __future__ import annotations

import io
import zipfile

import pytest

from crm_contact_guard.files import sniffing
from crm_contact_guard.files.sniffing import UNKNOWN, content_type_of

OFFICE = "application/vnd.openxmlformats-officedocument"
DOCX = f"{OFFICE}.wordprocessingml.document"
REST = b"\0" * 40


def office(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe1", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"BM", "image/bmp"),
        (b"II*\0", "image/tiff"),
        (b"MM\0*", "image/tiff"),
        (b"%PDF-1.7", "application/pdf"),
        (b"OggS", "audio/ogg"),
        (b"ID3", "audio/mpeg"),
        (b"\xff\xfb", "audio/mpeg"),
        (b"#!AMR", "audio/amr"),
        (b"\x1aE\xdf\xa3", "video/webm"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
        (b"MZ", "application/x-msdownload"),
        (b"\x7fELF", "application/x-executable"),
        (b"#!/bin/sh", "text/x-script"),
        (b"Rar!", "application/vnd.rar"),
        (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
        (b"\x1f\x8b", "application/gzip"),
        (b"\0\0\0\x18ftypheic", "image/heic"),
        (b"\0\0\0\x18ftypheix", "image/heic"),
        (b"\0\0\0\x18ftypmif1", "image/heif"),
        (b"\0\0\0\x18ftypavif", "image/avif"),
        (b"\0\0\0\x18ftypM4A ", "audio/mp4"),
        (b"\0\0\0\x18ftypqt  ", "video/quicktime"),
        (b"\0\0\0\x18ftyp3gp4", "video/3gpp"),
        (b"\0\0\0\x18ftyp3gp5", "video/3gpp"),
        (b"\0\0\0\x18ftypisom", "video/mp4"),
        (b"RIFF\0\0\0\0WEBP", "image/webp"),
        (b"RIFF\0\0\0\0WAVE", "audio/wav"),
        (b"RIFF\0\0\0\0AVI ", "video/x-msvideo"),
        (b"RIFF\0\0\0\0CDXA", UNKNOWN),
        # A signature counts at its place only.
        (b" %PDF-1.7", UNKNOWN),
        (b"\0\0\0\x18\0ftypheic", UNKNOWN),
        (b"xRIFFxxxxWEBP", UNKNOWN),
        (b"PK\x03\x04", "application/zip"),
        (b"PK\x05\x06", UNKNOWN),
    ],
)
def test_a_type_is_told_by_its_first_bytes(content: bytes, found: str) -> None:
    assert content_type_of(content + REST) == found


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["[Content_Types].xml", "word/document.xml"], DOCX),
        (["[Content_Types].xml", "xl/workbook.xml"], f"{OFFICE}.spreadsheetml.sheet"),
        (["[Content_Types].xml", "ppt/presentation.xml"], f"{OFFICE}.presentationml.presentation"),
        (["word/document.xml"], "application/zip"),
        (["[Content_Types].xml"], "application/zip"),
        (["[Content_Types].xml", "my/word/document.xml"], "application/zip"),
        (["[Content_Types].xml", "word/document.xml", "xl/workbook.xml"], "application/zip"),
        (["[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"], "application/zip"),
        (["[Content_Types].xml", "word/document.xml", "word/macros/VBAPROJECT.BIN"], "application/zip"),
    ],
)
def test_an_office_document_is_one_kind_without_macros(names: list[str], found: str) -> None:
    assert content_type_of(office(*names)) == found


def test_a_damaged_document_is_an_archive() -> None:
    assert content_type_of(office("[Content_Types].xml", "word/document.xml")[:-30]) == "application/zip"


@pytest.mark.parametrize(
    "mark", ["<!DOCTYPE html>", "<HTML", "<head", "<body", "<script", "<svg", "<?xml", "<iframe", "<img"]
)
@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b" \t\r\n\x0c"])
def test_markup_is_never_plain_text(mark: str, before: bytes) -> None:
    assert content_type_of(before + mark.encode()) == "text/html"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", UNKNOWN),
        ("お部屋のご案内".encode(), "text/plain"),
        ("お部屋のご案内".encode("cp932"), "text/plain"),
        ("お部屋".encode("utf-16"), "text/plain"),
        (b"\xfe\xff\0a", "text/plain"),
        (b"a\0b", UNKNOWN),
        (b"a" * sniffing.HEAD + b"\0", "text/plain"),
        (b"a" * (sniffing.HEAD - 1) + b"\0", UNKNOWN),
        *((b"a" + bytes([byte]), "text/plain") for byte in (0x09, 0x0A, 0x0C, 0x0D, 0x1B, 0x20)),
        *((b"a" + bytes([byte]), UNKNOWN) for byte in (0x00, 0x08, 0x0B, 0x0E, 0x1A, 0x1C, 0x1F)),
    ],
)
def test_text_has_none_of_the_bytes_that_only_data_has(content: bytes, found: str) -> None:
    assert content_type_of(content) == found
