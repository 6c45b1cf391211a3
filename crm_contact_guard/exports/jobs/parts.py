"""The parts of an unfinished bundle and the finished bundle in the storage, all in one folder per job."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any, Final

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages

from crm_contact_guard.conf import settings
from crm_contact_guard.exports.jobs.models import ExportJob

_FOLDER: Final = "contact_guard/exports"
#: A stored part: its name in the storage, its number of rows, and the SHA-256 of its lines.
Part = dict[str, Any]


class PartLost(Exception):
    """A stored part is missing or differs from what was written."""


def backend() -> Storage:
    """Return the Django storage for bundles: ``EXPORT_STORAGE``, or else ``FILE_STORAGE``."""
    return storages[settings.EXPORT_STORAGE or settings.FILE_STORAGE]


def folder(job: ExportJob) -> str:
    """Return the folder of a job."""
    return f"{_FOLDER}/{job.pk}"


def part_store(job: ExportJob, kind: str, number: int, lines: Iterable[bytes]) -> Part:
    """Store the lines, and return the part. It counts only once the job's row names it."""
    data, rows = bytearray(), 0
    for line in lines:
        data += line
        rows += 1
    name = backend().save(f"{folder(job)}/{kind}-{number:06}", ContentFile(zlib.compress(bytes(data), 1)))
    return {"kind": kind, "name": name, "rows": rows, "sha256": sha256(data).hexdigest()}


def part_lines(parts: Sequence[Part], kind: str) -> Iterator[bytes]:
    """Yield the lines of all parts of a kind. Raise PartLost."""
    for part in parts:
        if part["kind"] != kind:
            continue
        try:
            with backend().open(part["name"]) as file:
                data = zlib.decompress(file.read())
        except (OSError, zlib.error) as error:
            raise PartLost(part["name"]) from error
        if sha256(data).hexdigest() != part["sha256"]:
            raise PartLost(part["name"])
        yield from data.splitlines(keepends=True)


def clear(job: ExportJob, keep: str = "") -> None:
    """Delete everything that the job stored except the file ``keep``. What isn't there is ignored."""
    store, where = backend(), folder(job)
    try:
        names = [f"{where}/{name}" for name in store.listdir(where)[1]]
    except (FileNotFoundError, NotADirectoryError):
        names = []
    for name in names:
        if name != keep:
            store.delete(name)
    if not keep and names:
        _remove_folder(store, where)


def _remove_folder(store: Storage, where: str) -> None:
    """Remove the empty folder. Object storages have none, and for those this does nothing."""
    try:
        store.delete(str(PurePosixPath(where)))
    except OSError:
        return
