"""Signals a host may listen to, for instrumentation such as OpenTelemetry. Receivers never hold up our work.

``scanned``: a text was judged. Arguments: ``stage`` ("preview" before sending, "inspection" after recording) and
``seconds``. ``webhook_refused``: a carrier's call was turned away. Arguments: ``channel`` (alias) and ``reason``
("signature", "unreadable" or "too_large"). Neither carries anything of a message.
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
    """Tell ``scanned`` how long the block took."""
    began = time.perf_counter()
    yield
    scanned.send_robust(sender=None, stage=stage, seconds=time.perf_counter() - began)
