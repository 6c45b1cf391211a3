"""Human-readable times: relative for today, otherwise date and time in the viewer's time zone."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext


def midnight(day: date) -> datetime:
    """Return the beginning of a day in the viewer's time zone."""
    return timezone.make_aware(datetime.combine(day, time()))


def exact(at: datetime) -> str:
    """Return date, time and time zone, for tooltips."""
    local = timezone.localtime(at)
    return f"{date_format(local, pgettext('exact time', 'j F Y, H:i:s'))} {local.tzname()}"


def ago(at: datetime) -> str:
    """Return the elapsed time if ``at`` is earlier today, else date and time."""
    now = timezone.localtime()
    local = timezone.localtime(at)
    passed = now - local
    if local.date() != now.date() or passed < timedelta(0):
        return when(at)
    minutes = int(passed.total_seconds() // 60)
    if minutes < 1:
        return _("just now")
    if minutes < 60:
        return ngettext("%(n)d min ago", "%(n)d min ago", minutes) % {"n": minutes}
    return ngettext("%(n)d hour ago", "%(n)d hours ago", minutes // 60) % {"n": minutes // 60}


def when(at: datetime) -> str:
    """Return date and time: only the time for today, and the year only if it isn't the current one."""
    local, now = timezone.localtime(at), timezone.localtime()
    if local.date() == now.date():
        return clock(at)
    if local.year == now.year:
        return date_format(local, pgettext("date and time", "j M, H:i"))
    return date_format(local, pgettext("date and time", "j M Y, H:i"))


def clock(at: datetime) -> str:
    return date_format(timezone.localtime(at), pgettext("time", "H:i"))


def day(on: date) -> str:
    """Return the heading for the messages of a day."""
    today = timezone.localdate()
    if on == today:
        return _("Today")
    if on == today - timedelta(days=1):
        return _("Yesterday")
    if on.year == today.year:
        return date_format(on, pgettext("day", "l, j F"))
    return date_format(on, pgettext("day", "l, j F Y"))


def lasting(since: datetime) -> str:
    """Return the time since ``since`` in minutes (under an hour), hours (under two days) or days."""
    minutes = max(int((timezone.now() - since).total_seconds() // 60), 0)
    if minutes < 60:
        return ngettext("%(n)d min", "%(n)d min", minutes) % {"n": minutes}
    if minutes < 48 * 60:
        return ngettext("%(n)d hour", "%(n)d hours", minutes // 60) % {"n": minutes // 60}
    return ngettext("%(n)d day", "%(n)d days", minutes // 1440) % {"n": minutes // 1440}
