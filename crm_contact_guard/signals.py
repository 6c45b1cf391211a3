"""Signals for hosts, for instrumentation such as OpenTelemetry. Exceptions of receivers are logged, not raised.

``scanned``: a text was scanned. Arguments: ``stage`` ("preview" before sending, "inspection" after recording) and
``seconds``. ``webhook_refused``: a webhook was refused. Arguments: ``channel`` (alias) and ``reason`` ("signature",
"unreadable" or "too_large"). Neither contains message content.
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
