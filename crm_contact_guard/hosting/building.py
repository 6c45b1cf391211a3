"""Errors while a message is put together, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError

from crm_contact_guard.exceptions import ChannelError


@contextmanager
def building() -> Iterator[None]:
    """Raise a permanent ChannelError for any exception of the block: the same message would raise it again.

    Except for files that can't be read now (OSError, or DatabaseError from a storage in a database).
    """
    try:
        yield
    except (ChannelError, OSError, DatabaseError):
        raise
    except Exception as error:
        raise ChannelError(f"the message can't be built: {type(error).__name__}: {error}", permanent=True) from error
