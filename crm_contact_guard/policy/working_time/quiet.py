"""A customer's quiet hours, in the customer's time zone, and who started the current exchange of messages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from crm_contact_guard.policy.working_time.calendar import HORIZON
from crm_contact_guard.policy.working_time.clock import DAY, Interval, Span, interval
from crm_contact_guard.policy.working_time.holidays import is_holiday

#: A message within this time of the customer's last one counts as a quick answer, to which quiet hours don't apply.
QUICK = timedelta(minutes=30)
#: A longer pause ends an exchange, unless the customer is waiting for an answer.
PAUSE = timedelta(hours=12)
_DAY = timedelta(days=1)


class Side(StrEnum):
    EMPLOYEE = "employee"
    CUSTOMER = "customer"


@dataclass(frozen=True)
class Customer:
    """Quiet hours of a customer: daily windows, weekdays (0 is Monday), dates, and public holidays, in ``zone``."""

    zone: ZoneInfo
    windows: tuple[Span, ...] = ()
    weekdays: frozenset[int] = frozenset()
    dates: frozenset[date] = frozenset()
    holidays: tuple[str, ...] = ()

    def quiet_until(self, at: datetime) -> datetime | None:
        """Return when the quiet hours at ``at`` end; None if there are none. They count as ended after HORIZON days."""
        end = at
        limit = at + HORIZON * _DAY
        while end < limit:
            day = end.astimezone(self.zone).date()
            later = [window.end for near in (day - _DAY, day) for window in self._quiet(near) if end in window]
            if not later:
                break
            end = max(later)
        return end if end > at else None

    def _quiet(self, day: date) -> list[Interval]:
        whole = day.weekday() in self.weekdays or day in self.dates or is_holiday(day, self.holidays)
        spans = (Span(0, DAY),) if whole else ()
        found = (interval(day, part, self.zone) for part in (*spans, *self.windows))
        return [window for window in found if window is not None]


@dataclass(frozen=True)
class Talk:
    """Who wrote first in the current exchange, and when the customer last wrote before the message being sent."""

    first_by: Side
    customer_at: datetime | None


def talk(messages: Iterable[tuple[Side, datetime]], sent_at: datetime) -> Talk:
    """Return the current exchange. ``messages`` may be in any order; messages after ``sent_at`` are ignored.

    A pause of more than twelve hours ends an exchange, unless the customer wrote last: the next message is then an
    answer, however late. The message being sent counts as the employee's.
    """
    earlier = sorted((message for message in messages if message[1] <= sent_at), key=lambda message: message[1])
    first_by, last = None, None
    for side, at in [*earlier, (Side.EMPLOYEE, sent_at)]:
        if first_by is None or last is None or (at - last[1] > PAUSE and last[0] is Side.EMPLOYEE):
            first_by = side
        last = (side, at)
    customer = [at for side, at in earlier if side is Side.CUSTOMER]
    return Talk(first_by or Side.EMPLOYEE, max(customer) if customer else None)
