"""Handle errors that occur while a message is being built, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError

from crm_contact_guard.exceptions import ChannelError


@contextmanager
def building() -> Iterator[None]:
    """Turn any exception in the block into a permanent ChannelError, since the same message would raise it again.

    A ChannelError is raised unchanged. So are OSError and DatabaseError, because a file may be unreadable only for now.
    (A storage that keeps its files in a database raises DatabaseError.)
    """
    try:
        yield
    except (ChannelError, OSError, DatabaseError):
        raise
    except Exception as error:
        raise ChannelError(f"the message can't be built: {type(error).__name__}: {error}", permanent=True) from error
