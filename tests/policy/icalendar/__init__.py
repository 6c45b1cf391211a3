"""Rosters in iCalendar files."""
