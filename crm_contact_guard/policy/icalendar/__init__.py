"""Reads rosters in iCalendar files (RFC 5545), which are hostile input. Neither Django nor the database is used.

The package doesn't use a library: the usual one remembers a file's time zones for the whole process, so that one
company's file would shift another's, and expands rules without a bound. Here each file has its own zones. Size, number
of events and the days that rules are tested on are bounded, and whatever isn't understood is named with its line.
"""

from crm_contact_guard.policy.icalendar.lines import MAX_BYTES, BadCalendar
from crm_contact_guard.policy.icalendar.rosters import Words, calendar_of

__all__ = ["MAX_BYTES", "BadCalendar", "Words", "calendar_of"]
