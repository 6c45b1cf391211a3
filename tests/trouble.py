"""Trouble from outside, as tests need it: a database that refuses, a disk that is full."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage
from django.db import DatabaseError, connection
from django.db.models.signals import pre_save

from crm_contact_guard.record.models import Message


@contextmanager
def refusing(table: str, error: BaseException | None = None) -> Iterator[None]:
    """A database that takes no row into the table of this name, as this thread sees it."""

    # PostgreSQL is sent several statements as one (``record.statements``): the insert may stand within another.
    insert = re.compile(rf"INSERT INTO [\"`]crm_contact_guard_{table}[\"`]")

    def watch(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if insert.search(sql):
            raise error or DatabaseError("no room")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield


@contextmanager
def host_refuses(error: Exception, *, text: str = "") -> Iterator[None]:
    """A host whose own receiver breaks on a message that is about to be recorded, in whatever thread."""

    def receiver(instance: Message, **_: Any) -> None:
        if text in (instance.text or ""):
            raise error

    pre_save.connect(receiver, sender=Message)
    try:
        yield
    finally:
        pre_save.disconnect(receiver, sender=Message)


class FullStorage(FileSystemStorage):
    """A disk with room for one file more."""

    def _save(self, name: str, content: File[bytes]) -> str:
        if any(path.is_file() for path in Path(self.location).rglob("*")):
            raise OSError(28, "No space left on device")
        return super()._save(name, content)


class OvertakenStorage(FileSystemStorage):
    """While it stores the first file, another worker does the same work as a whole (``meanwhile``)."""

    meanwhile: ClassVar[Callable[[], object] | None] = None

    def _save(self, name: str, content: File[bytes]) -> str:
        overtaking, OvertakenStorage.meanwhile = OvertakenStorage.meanwhile, None
        if overtaking is not None:
            overtaking()
        return super()._save(name, content)
