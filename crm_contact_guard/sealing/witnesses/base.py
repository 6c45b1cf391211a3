"""Base class of witnesses. Hosts add their own by dotted path in ``WITNESSES``."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar


class Witness:
    """Stores signed checkpoints where the database's administrator can't reach them.

    Configured as ``WITNESSES = [{"BACKEND": "dotted.Path", "NAME": "auditor", "EVERY": seconds, "OPTIONS": {…}}]``; the
    options are the constructor's keyword arguments.
    """

    #: Interval between checkpoints; ``EVERY`` in the settings overrides it.
    every: ClassVar[timedelta] = timedelta(hours=1)

    def keep(self, checkpoint: str, *, origin: str, size: int) -> None:
        """Store a signed checkpoint (text) of the tree ``origin`` with ``size`` leaves.

        This may be called twice with the same checkpoint. It may raise any exception on failure; the call is retried.
        """
        raise NotImplementedError

    def latest(self, *, origin: str) -> str | None:
        """Return the stored checkpoint with the most leaves; None if there is none or it can't be read back."""
        return None
