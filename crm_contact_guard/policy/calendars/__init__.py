"""Working time from other sources than the host's adapter: entered on a page, or read from an iCalendar file."""
