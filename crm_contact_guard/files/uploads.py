"""What may be attached: how many files, how large, of which kind by their content, under which names."""

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

#: Longest name that is kept; common file systems end there.
MAX_NAME = 200


def read(uploads: Iterable[UploadedFile[Any]], carrier: Channel) -> list[FileIn]:
    """The files of a form, looked at. Raises InvalidMessage (``files``) naming the file and what is wrong with it."""
    given = list(uploads)
    if given and not carrier.supports_files:
        raise _refused(_("%(channel)s can't send files.") % {"channel": carrier.verbose_name})
    if given and carrier.files_by_link and not settings.PUBLIC_URL:
        raise _refused(_("%(channel)s can't fetch files from here.") % {"channel": carrier.verbose_name})
    if len(given) > carrier.max_files:
        raise _refused(_("At most %(most)d files can go with one message.") % {"most": carrier.max_files})
    most = min(limit for limit in (int(settings.MAX_FILE_BYTES), carrier.max_file_bytes) if limit)
    files = []
    for upload in given:
        name = clean_name(upload.name or "")
        # Before a byte is read: a size that the server counted, not one that the sender claims.
        if (upload.size or 0) > most:
            raise _too_large(name, upload.size or 0, most)
        file = _looked_at(name, upload.read(), carrier)
        if settings.REENCODE_IMAGES and file.content_type.startswith("image/"):
            file = _made_anew(file, most)
        files.append(file)
    return files


def _looked_at(name: str, content: bytes, carrier: Channel) -> FileIn:
    if not content:
        raise _refused(_("%(name)s is empty.") % {"name": name})
    found = sniffing.content_type_of(content)
    if not _matches(found, settings.FILE_TYPES) or (carrier.file_types and not _matches(found, carrier.file_types)):
        raise _refused(_("%(name)s is not of a kind that can be sent here.") % {"name": name})
    endings = sniffing.ENDINGS.get(found, ())
    ending = PurePosixPath(name).suffix.lower()
    if not ending and endings:
        name += endings[0]
    elif endings and ending not in endings:
        raise _refused(
            _("%(name)s is not what its name says: a file of this kind ends in %(endings)s.")
            % {"name": name, "endings": ", ".join(endings)}
        )
    return FileIn(name=name, content_type=found, content=content)


def _made_anew(file: FileIn, most: int) -> FileIn:
    try:
        content = reencoding.reencoded(file.content, file.content_type)
    except reencoding.UnusablePictureError as error:
        raise _refused(
            _("%(name)s is damaged or has too many pixels. Please save the picture anew and try again.")
            % {"name": file.name}
        ) from error
    if content is None:
        raise _refused(_("%(name)s is not of a kind that can be sent here.") % {"name": file.name})
    if len(content) > most:
        raise _too_large(file.name, len(content), most)
    return replace(file, content=content)


def _too_large(name: str, has: int, most: int) -> InvalidMessage:
    return _refused(
        _("%(name)s has %(has)s; at most %(most)s are possible.")
        % {"name": name, "has": filesizeformat(has), "most": filesizeformat(most)}
    )


def clean_name(name: str) -> str:
    """A name without folders, control characters and the marks that turn writing around; never empty."""
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(" " if character in "\t\n\r" else character for character in name)
    kept = "".join(character for character in kept if unicodedata.category(character)[0] != "C").strip(" .")
    if len(kept) > MAX_NAME:
        stem, dot, ending = kept.rpartition(".")
        kept = f"{stem[: MAX_NAME - len(ending) - 1]}{dot}{ending}" if dot and len(ending) < 10 else kept[:MAX_NAME]
    return kept or _("file")


def _matches(content_type: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(content_type, pattern) for pattern in patterns)


def _refused(words: str) -> InvalidMessage:
    return InvalidMessage(words, field="files")
