"""Limits on pay cuts by Japan's Labour Standards Act (労働基準法), article 91, and the average wage of article 12.

Pure: no Django, no clock. Amounts are whole yen. Limits are calculated exactly and rounded down, never to the
disadvantage of the employee.

- For one incident, a cut is at most half a day's average wage (昭23.9.20 基収1789). Each of several incidents on a day
  has a limit of its own. Each incident can lead to only one cut.
- In a wage period, all cuts together are at most a tenth of its wages, which absence lowers (昭25.9.8
  基収1338). What exceeds the tenth moves on to the next period.
- The average wage is that of the three months before the day on which the notice reached the employee (昭30.7.19
  基収5875).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

#: Maximum number of wage periods over which cuts are spread.
MOST_PERIODS: Final = 24


class InvalidPayCut(ValueError):
    """The figures make no sense, such as negative wages. ``field`` names the argument."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A cut for one incident, in yen."""

    incident: str
    yen: int


@dataclass(frozen=True, kw_only=True)
class Instalment:
    """What is cut in one wage period, and the most that may be, in yen."""

    yen: int
    limit: int


@dataclass(frozen=True, kw_only=True)
class Excess:
    """A cut that is more than an incident's limit, or a further cut for an incident (``limit`` is 0)."""

    incident: str
    yen: int
    limit: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Whether and how cuts may be made.

    ``excesses``: what is unlawful; if there are any, there are no instalments. ``rest``: yen that don't fit into
    ``MOST_PERIODS`` periods.
    """

    per_incident: int
    excesses: tuple[Excess, ...] = ()
    instalments: tuple[Instalment, ...] = ()
    rest: int = 0

    @property
    def is_lawful(self) -> bool:
        return not self.excesses and not self.rest


def days_of_three_months(closing: date) -> int:
    """Return the number of calendar days in the three months that end on ``closing``, the last wage closing day."""
    month = closing.year * 12 + closing.month - 1 - 3
    year, index = divmod(month, 12)
    last = monthrange(year, index + 1)[1]
    is_month_end = (closing + timedelta(days=1)).day == 1
    before = date(year, index + 1, last if is_month_end else min(closing.day, last))
    return (closing - before).days


def average_wage(wages: int, calendar_days: int, *, days_worked: int | None = None) -> Fraction:
    """Return the average wage for a day in yen, not rounded (article 12).

    ``wages``: all wages of the three months. ``days_worked``: for pay by the day, the hour or the piece, the days
    worked, since the average is then at least 60 % of the wages for each of them. Raise InvalidPayCut.
    """
    if wages < 0:
        raise InvalidPayCut("wages", "wages can't be negative")
    if not 1 <= calendar_days <= 100:
        raise InvalidPayCut("calendar_days", "three months have 89 to 92 days, fewer only after joining")
    average = Fraction(wages, calendar_days)
    if days_worked is None:
        return average
    if not 1 <= days_worked <= calendar_days:
        raise InvalidPayCut("days_worked", "the days worked are between 1 and the calendar days")
    return max(average, Fraction(wages, days_worked) * Fraction(60, 100))


def limit_per_incident(average: Fraction) -> int:
    """Return the most that one incident may cost in yen: half the average wage of a day, rounded down."""
    return int(average / 2)


def limit_per_period(wages: int) -> int:
    """Return the most that all cuts in a wage period may cost in yen: a tenth of its wages, rounded down."""
    return max(0, wages) // 10


def plan(cuts: Sequence[Cut], average: Fraction, periods: Sequence[int], already: Sequence[int] = ()) -> Plan:
    """Check cuts and spread them over wage periods.

    ``periods``: the wages of the coming periods in yen; the last one stands for all after it. A bonus is a period too.
    ``already``: what earlier decisions cut in the same periods. Raise InvalidPayCut.
    """
    if not periods:
        raise InvalidPayCut("periods", "give the wages of at least one period")
    if any(wages < 0 for wages in periods):
        raise InvalidPayCut("periods", "wages can't be negative")
    if any(yen < 0 for yen in already):
        raise InvalidPayCut("already", "earlier cuts can't be negative")
    if not cuts or any(cut.yen < 1 for cut in cuts):
        raise InvalidPayCut("cuts", "each cut is at least one yen")
    most = limit_per_incident(average)
    excesses = tuple(_excesses(cuts, most))
    if excesses:
        return Plan(per_incident=most, excesses=excesses)
    rest = sum(cut.yen for cut in cuts)
    instalments: list[Instalment] = []
    while rest and len(instalments) < MOST_PERIODS:
        number = len(instalments)
        earlier = already[number] if number < len(already) else 0
        limit = max(0, limit_per_period(periods[min(number, len(periods) - 1)]) - earlier)
        instalments.append(Instalment(yen=min(rest, limit), limit=limit))
        rest -= instalments[-1].yen
    return Plan(per_incident=most, instalments=tuple(instalments), rest=rest)


def _excesses(cuts: Sequence[Cut], most: int) -> list[Excess]:
    seen: set[str] = set()
    found = []
    for cut in cuts:
        limit = 0 if cut.incident in seen else most
        seen.add(cut.incident)
        if cut.yen > limit:
            found.append(Excess(incident=cut.incident, yen=cut.yen, limit=limit))
    return found
