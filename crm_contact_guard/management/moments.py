"""Parse dates and times in command options."""

from __future__ import annotations

import argparse
from datetime import datetime

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime


def moment(text: str) -> datetime:
    """Parse a date or an ISO 8601 time, in the project's time zone if it has no offset. Raises ArgumentTypeError."""
    try:
        day = parse_date(text)
        result = datetime.combine(day, datetime.min.time()) if day is not None else parse_datetime(text)
    except ValueError:
        result = None  # well formed, but not a valid date
    if result is None:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a date such as 2026-11-24 nor an ISO 8601 time")
    return timezone.make_aware(result) if timezone.is_naive(result) else result
