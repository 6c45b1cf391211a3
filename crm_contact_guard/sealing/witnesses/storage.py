"""A witness that writes to a directory or an object store, through Django's storages."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar, Final
from urllib.parse import quote

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, Storage, storages

from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.sealing.witnesses.base import Witness

_GROUP: Final = 1000
_DIGITS: Final = 18


class StorageWitness(Witness):
    """Stores each checkpoint in a new file and never overwrites one, so a store with object lock can be used.

    Set either ``folder``, a directory outside the database's reach, or ``storage``, an alias of ``STORAGES`` (S3 and
    others through django-storages). Files are named ``origin/000…/…000123.txt`` and grouped by thousands of leaves,
    which keeps listings short.
    """

    every: ClassVar[timedelta] = timedelta(minutes=1)

    def __init__(self, *, folder: str = "", storage: str = "", prefix: str = "checkpoints") -> None:
        if bool(folder) == bool(storage):
            raise ConfigurationError("A storage witness needs either a folder or a storage")
        self._store: Storage = FileSystemStorage(location=folder) if folder else storages[storage]
        self._prefix = prefix

    def keep(self, checkpoint: str, *, origin: str, size: int) -> None:
        name = f"{self._root(origin)}/{_padded(size // _GROUP)}/{_padded(size)}.txt"
        if not self._store.exists(name):
            self._store.save(name, ContentFile(checkpoint.encode()))

    def latest(self, *, origin: str) -> str | None:
        root = self._root(origin)
        group = self._last(root, folders=True)
        name = self._last(f"{root}/{group}", folders=False) if group else None
        if name is None:
            return None
        with self._store.open(f"{root}/{group}/{name}") as file:
            return bytes(file.read()).decode()

    def _root(self, origin: str) -> str:
        # A key's name may contain slashes and dots, which a storage would interpret as a path.
        return f"{self._prefix}/{quote(origin, safe='')}"

    def _last(self, path: str, *, folders: bool) -> str | None:
        try:
            names = self._store.listdir(path)[0 if folders else 1]
        except FileNotFoundError:
            return None
        return max(names, default=None)


def _padded(number: int) -> str:
    return f"{number:0{_DIGITS}d}"
