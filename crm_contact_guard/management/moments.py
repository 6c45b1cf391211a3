"""Days and times as our commands take them."""

from __future__ import annotations

import argparse
from datetime import datetime

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime


def moment(text: str) -> datetime:
    """A day, or an ISO time, in the installation's zone unless it names another. Raises ArgumentTypeError."""
    try:
        day = parse_date(text)
        found = datetime.combine(day, datetime.min.time()) if day is not None else parse_datetime(text)
    except ValueError:
        found = None  # well formed, and no day of any calendar
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a day like 2026-11-24 nor an ISO time")
    return timezone.make_aware(found) if timezone.is_naive(found) else found
