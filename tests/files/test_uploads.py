"""Files of a form, to the byte and the letter: sizes, types, names and their endings."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import FileIn
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.files import uploads
from crm_contact_guard.files.sniffing import ENDINGS
from tests.file_samples import PNG


@pytest.fixture(autouse=True)
def _limits(settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "MAX_FILE_BYTES": 60, "REENCODE_IMAGES": False}


def read(name: str, content: bytes, alias: str = "chat") -> FileIn:
    [file] = uploads.read([SimpleUploadedFile(name, content, "image/png")], registry.channel(alias))
    return file


def refused(name: str, content: bytes) -> str:
    with pytest.raises(InvalidMessage) as caught:
        read(name, content)
    assert caught.value.field == "files"
    return str(caught.value)


def test_a_file_may_have_as_many_bytes_as_set_and_none_more() -> None:
    assert read("a.txt", b"x" * 60).content == b"x" * 60
    assert refused("a.txt", b"x" * 61) == "a.txt is too large: 61\xa0bytes (at most 60\xa0bytes)."


def test_a_file_of_unknown_size_is_read(settings: Any) -> None:
    unknown = SimpleUploadedFile("a.txt", b"hello")
    unknown.size = None

    assert uploads.read([unknown], registry.channel("chat"))[0].content == b"hello"


def test_a_name_without_an_ending_gets_that_of_its_type() -> None:
    assert read("photo", PNG).name == "photo.png"
    assert read("photo.", PNG).name == "photo.png"


@pytest.mark.parametrize(
    ("name", "fits"), [("a.txt", True), ("a.CSV", True), ("a.md", True), ("a.png", False), ("a.txt.exe", False)]
)
def test_a_name_ends_as_its_type_does(name: str, fits: bool) -> None:
    if fits:
        assert read(name, b"hello").name == name
        return
    assert refused(name, b"hello") == (
        f"The name of {name} does not match its type: files of this type end in .txt, .csv, .md, .log."
    )


def test_a_type_without_known_endings_keeps_its_name(settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "FILE_TYPES": ["application/gzip"]}

    assert "application/gzip" not in ENDINGS
    assert read("a.anything", b"\x1f\x8b").name == "a.anything"
    assert read("a", b"\x1f\x8b").name == "a"
    assert "file type" in refused("a.txt", b"hello")


def test_a_whole_family_of_types_may_be_allowed(settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "FILE_TYPES": ["audio/mpeg", "image/*"]}

    assert read("a.png", PNG).content_type == "image/png"
    assert "file type" in refused("a.pdf", b"%PDF-1.7")


def test_no_file_is_no_fault_where_files_are_refused() -> None:
    assert uploads.read([], registry.channel("chat")) == []


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("a/b\\c.txt", "c.txt"),
        ("tab\there.txt", "tab here.txt"),
        ("nul\0l.txt", "null.txt"),
        (" .hidden. ", "hidden"),
        ("...", "file"),
        ("か\u3099.txt", "が.txt"),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 200),
        ("x" * 196 + ".txt", "x" * 196 + ".txt"),
        ("x" * 197 + ".txt", "x" * 196 + ".txt"),
        ("x" * 300 + ".123456789", "x" * 190 + ".123456789"),
        ("x" * 300 + ".1234567890", "x" * 200),
        ("x" * 195 + ".1234567890", "x" * 195 + ".1234"),
    ],
)
def test_a_name_fits_and_hides_nothing(name: str, cleaned: str) -> None:
    assert uploads.clean_name(name) == cleaned
