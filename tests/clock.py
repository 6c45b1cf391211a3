"""A clock that a test moves by hand, so that no result depends on how fast the machine is."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests import factories


class Clock:
    """What ``timezone.now`` returns: the start of an office day, until the test moves it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now: datetime = factories.office_time()
        monkeypatch.setattr("django.utils.timezone.now", lambda: self.now)

    def forward(self, by: timedelta | float) -> datetime:
        """Move on by a period or by seconds; the new time."""
        self.now += by if isinstance(by, timedelta) else timedelta(seconds=by)
        return self.now
