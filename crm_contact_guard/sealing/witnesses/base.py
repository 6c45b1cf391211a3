"""What a witness is asked to do. Hosts add their own by dotted path in ``WITNESSES``."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar


class Witness:
    """Takes signed checkpoints and keeps them where the database's administrator can't reach them.

    Configured as ``WITNESSES = [{"BACKEND": "dotted.Path", "NAME": "auditor", "EVERY": seconds, "OPTIONS": {…}}]``; the
    options are the constructor's keyword arguments.
    """

    #: How often a new checkpoint is handed over unless ``EVERY`` says otherwise.
    every: ClassVar[timedelta] = timedelta(hours=1)

    def keep(self, checkpoint: str, *, origin: str, size: int) -> None:
        """Keep a signed checkpoint (text) of the tree ``origin`` with ``size`` leaves.

        May be called twice with the same one. Raises anything when it could not be kept; it is offered again.
        """
        raise NotImplementedError

    def latest(self, *, origin: str) -> str | None:
        """The checkpoint with the most leaves that was kept, None when there is none or it can't be read back."""
        return None
