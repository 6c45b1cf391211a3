"""Charts as numbers that templates draw in SVG: bars with links, and the week after hours. Each has its table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil
from typing import Final

from django.utils.formats import date_format
from django.utils.functional import Promise

#: Steps of lightness of a heat map, without the empty one.
STEPS: Final = 5
#: Width and height of a cell, and the space for the names of days and hours, in units of the drawing.
CELL: Final = 26
LEFT: Final = 44
TOP: Final = 20


@dataclass(frozen=True)
class Bar:
    """A row: ``share`` is the bar's length in percent of the longest."""

    label: str | Promise
    number: int
    share: int
    href: str


@dataclass(frozen=True)
class Cell:
    x: int
    y: int
    number: int
    #: From 0 for nothing to ``STEPS`` for the most.
    step: int


@dataclass(frozen=True)
class HeatMap:
    """``days`` and ``hours``: names with their places. ``rows``: the numbers of each day, for the table."""

    width: int
    height: int
    cells: Sequence[Cell]
    days: Sequence[tuple[str, int]]
    hours: Sequence[tuple[int, int]]
    rows: Sequence[tuple[str, Sequence[int]]]
    total: int


def bars(rows: Iterable[tuple[str | Promise, int, str]]) -> list[Bar]:
    """Return bars for labels, numbers and links ("" for none)."""
    given = list(rows)
    most = max((number for _label, number, _href in given), default=0) or 1
    return [Bar(label, number, ceil(100 * number / most), href) for label, number, href in given]


def heat_map(week: Sequence[Sequence[int]]) -> HeatMap:
    """Return the heat map of a week: 7 rows, Monday first, of 24 hours."""
    most = max(map(max, week)) or 1
    monday = date(2026, 1, 5)
    names = [date_format(monday + timedelta(days=day), "D") for day in range(7)]
    cells = [
        Cell(LEFT + hour * CELL, TOP + day * CELL, number, ceil(STEPS * number / most))
        for day, row in enumerate(week)
        for hour, number in enumerate(row)
    ]
    return HeatMap(
        width=LEFT + 24 * CELL,
        height=TOP + 7 * CELL,
        cells=cells,
        days=[(name, TOP + day * CELL + CELL // 2) for day, name in enumerate(names)],
        hours=[(hour, LEFT + hour * CELL + CELL // 2) for hour in range(24)],
        rows=list(zip(names, week, strict=True)),
        total=sum(map(sum, week)),
    )
