"""Validate the number, size, type and name of files to send. The type of uploads is detected from their content."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from crm_contact_guard.channels.base import Channel, FileIn
from crm_contact_guard.conf import settings
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.files import reencoding, sniffing

#: Maximum length of a file name. Longer names are shortened. File systems commonly allow 255 bytes.
MAX_NAME = 200


def read(uploads: Iterable[UploadedFile[Any]], carrier: Channel) -> list[FileIn]:
    """Read and validate the files uploaded in a form. Raise InvalidMessage (field ``files``), which names the file."""
    uploads = list(uploads)
    _check_number(len(uploads), carrier)
    most = max_bytes(carrier)
    files = []
    for upload in uploads:
        name = clean_name(upload.name or "")
        # Checked before reading. Django counted the bytes itself, so the sender can't falsify the size.
        if (upload.size or 0) > most:
            raise _too_large(name, upload.size or 0, most)
        file = _checked(name, upload.read(), carrier)
        if settings.REENCODE_IMAGES and file.content_type.startswith("image/"):
            file = _reencoded(file, most)
        files.append(file)
    return files


def check(files: Sequence[FileIn], carrier: Channel) -> None:
    """Raise InvalidMessage (field ``files``) if the channel does not accept the number, size or type of the files."""
    _check_number(len(files), carrier)
    most = max_bytes(carrier)
    for file in files:
        if len(file.content) > most:
            raise _too_large(file.name, len(file.content), most)
        _check_type(file.name, file.content_type, carrier)


def max_bytes(carrier: Channel) -> int:
    """Return the maximum size of a file that both the channel and the company accept, in bytes."""
    return min(limit for limit in (int(settings.MAX_FILE_BYTES), carrier.max_file_bytes) if limit)


def max_number(carrier: Channel) -> int:
    """Return how many files one message may have on the channel."""
    links_missing = carrier.files_by_link and not settings.PUBLIC_URL
    return carrier.max_files if carrier.supports_files and not links_missing else 0


def _check_number(number: int, carrier: Channel) -> None:
    if number <= max_number(carrier):
        return
    if not carrier.supports_files:
        raise _refused(_("%(channel)s can't send files.") % {"channel": carrier.verbose_name})
    if carrier.files_by_link and not settings.PUBLIC_URL:
        raise _refused(_("%(channel)s can't fetch files from here.") % {"channel": carrier.verbose_name})
    raise _refused(_("At most %(most)d files can go with one message.") % {"most": carrier.max_files})


def _check_type(name: str, content_type: str, carrier: Channel) -> None:
    if not _matches(content_type, settings.FILE_TYPES) or (
        carrier.file_types and not _matches(content_type, carrier.file_types)
    ):
        raise _refused(_("%(name)s has a file type that can't be sent here.") % {"name": name})


def _checked(name: str, content: bytes, carrier: Channel) -> FileIn:
    if not content:
        raise _refused(_("%(name)s is empty.") % {"name": name})
    content_type = sniffing.content_type_of(content)
    _check_type(name, content_type, carrier)
    endings = sniffing.ENDINGS.get(content_type, ())
    ending = PurePosixPath(name).suffix.lower()
    if not ending and endings:
        name += endings[0]
    elif endings and ending not in endings:
        raise _refused(
            _("The name of %(name)s does not match its type: files of this type end in %(endings)s.")
            % {"name": name, "endings": ", ".join(endings)}
        )
    return FileIn(name=name, content_type=content_type, content=content)


def _reencoded(file: FileIn, most: int) -> FileIn:
    try:
        content = reencoding.reencoded(file.content, file.content_type)
    except reencoding.UnusablePictureError as error:
        raise _refused(
            _("%(name)s is damaged or has too many pixels. Please save the picture again and retry.")
            % {"name": file.name}
        ) from error
    if content is None:
        raise _refused(_("%(name)s has a file type that can't be sent here.") % {"name": file.name})
    if len(content) > most:
        raise _too_large(file.name, len(content), most)
    return replace(file, content=content)


def _too_large(name: str, has: int, most: int) -> InvalidMessage:
    return _refused(
        _("%(name)s is too large: %(has)s (at most %(most)s).")
        % {"name": name, "has": filesizeformat(has), "most": filesizeformat(most)}
    )


def clean_name(name: str) -> str:
    """Return the name without folders, control characters and bidirectional marks. The result is never empty."""
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(" " if character in "\t\n\r" else character for character in name)
    name = "".join(character for character in name if unicodedata.category(character)[0] != "C").strip(" .")
    if len(name) > MAX_NAME:
        stem, dot, ending = name.rpartition(".")
        name = f"{stem[: MAX_NAME - len(ending) - 1]}{dot}{ending}" if dot and len(ending) < 10 else name[:MAX_NAME]
    return name or _("file")


def _matches(content_type: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(content_type, pattern) for pattern in patterns)


def _refused(reason: str) -> InvalidMessage:
    return InvalidMessage(reason, field="files")
