"""Signals for hosts, for instrumentation such as OpenTelemetry. Exceptions in receivers are logged and not raised.

* ``scanned`` is sent after a text was scanned, with the arguments ``stage`` ("preview" before sending, "inspection"
  after recording) and ``seconds``.
* ``webhook_refused`` is sent after a webhook was refused, with the arguments ``channel`` (an alias) and ``reason``
  ("signature", "unreadable" or "too_large").

Neither signal contains message content.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.dispatch import Signal

scanned = Signal()
webhook_refused = Signal()


@contextmanager
def scanning(stage: str) -> Iterator[None]:
    """Send ``scanned`` with the duration of the block."""
    began = time.perf_counter()
    yield
    scanned.send_robust(sender=None, stage=stage, seconds=time.perf_counter() - began)
