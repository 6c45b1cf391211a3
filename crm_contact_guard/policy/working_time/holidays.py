"""Public holidays by ISO 3166-1 and 3166-2 code (``JP``, ``GB-ENG``), from the package ``holidays``.

Only days in the package's category ``public`` count, so observances and bank closures aren't holidays. For a year
without data, the package returns an empty calendar instead of an error. ``problem`` reports such years.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from importlib.metadata import version


class UnknownCalendar(ValueError):
    """There is no calendar for this code."""


@lru_cache(maxsize=512)
def calendar(code: str, year: int) -> frozenset[date]:
    """Return the public holidays of a country or subdivision in a year. Raise UnknownCalendar.

    The first call imports all countries' data, which takes a few hundred milliseconds. Workers do this on startup.
    """
    import holidays  # noqa: PLC0415 - slow to import, and many companies set no holidays

    country, _, subdivision = code.partition("-")
    if not (len(country) == 2 and country.isascii() and country.isupper()):
        raise UnknownCalendar(f"{code!r} is not a code of ISO 3166-1 or 3166-2, such as JP or GB-ENG")
    try:
        days = holidays.country_holidays(country, subdiv=subdivision or None, years=year)
    except NotImplementedError as error:
        raise UnknownCalendar(f"the package holidays has no calendar for {code!r}") from error
    return frozenset(days)


def is_holiday(day: date, codes: tuple[str, ...]) -> bool:
    """Whether the day is a public holiday under one of the codes. Raise UnknownCalendar."""
    return any(day in calendar(code, day.year) for code in codes)


def unknown(code: str) -> str:
    """Return why there is no calendar for this code, in English; empty if there is one."""
    try:
        calendar(code, 2026)
    except UnknownCalendar as error:
        return str(error)
    return ""


def problem(code: str, year: int) -> str:
    """Return why the holidays for this code and year can't be relied on, in English; empty if they can."""
    if not unknown(code) and not calendar(code, year):
        return f"the package holidays has no data for {code} in {year}"
    return unknown(code)


def parts_problem(code: str, year: int) -> str:
    """Return why a country's code isn't enough, in English: every part has further holidays; empty if it is enough.

    This takes a few tenths of a second for a country with many parts. Raise UnknownCalendar.
    """
    import holidays  # noqa: PLC0415 - see ``calendar``

    common = calendar(code, year)
    parts = () if "-" in code else holidays.country_holidays(code).subdivisions
    if not parts or any(calendar(f"{code}-{part}", year) <= common for part in parts):
        return ""
    return f"{code} has only the days common to all its parts, and each has more; name one, such as {code}-{parts[0]}"


def last_known(code: str) -> tuple[str, int]:
    """Return the version of the package ``holidays``, and the last year that it knows. Raise UnknownCalendar."""
    import holidays  # noqa: PLC0415 - see ``calendar``

    calendar(code, 2026)
    country, _, _subdivision = code.partition("-")
    return version("holidays"), int(holidays.country_holidays(country).end_year)
