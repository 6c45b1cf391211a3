"""The page of figures: of a team or of all, for a period, both in the address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_contact_guard.console.conversation.channel_choices import label
from crm_contact_guard.console.figures.charts import Bar, HeatMap, bars, heat_map
from crm_contact_guard.console.page import Shown, page, show
from crm_contact_guard.directory.models import Employee, Team
from crm_contact_guard.exceptions import NotPermitted
from crm_contact_guard.figures import showing
from crm_contact_guard.figures.counting import LONGER, UNANSWERED
from crm_contact_guard.figures.showing import Figures, figures, may_see_figures, period
from crm_contact_guard.supervision.models import FindingKind, Side

PERIODS: Final = (7, 28, 91)
WAITS: Final[Mapping[str, str | Promise]] = {
    "5m": gettext_lazy("up to 5 minutes"),
    "15m": gettext_lazy("up to 15 minutes"),
    "1h": gettext_lazy("up to an hour"),
    "4h": gettext_lazy("up to 4 hours"),
    "1d": gettext_lazy("up to a day"),
    LONGER: gettext_lazy("longer"),
    UNANSWERED: gettext_lazy("no answer yet"),
}
AGES: Final = (
    gettext_lazy("less than a day"),
    gettext_lazy("one to three days"),
    gettext_lazy("three to seven days"),
    gettext_lazy("one week to a month"),
    gettext_lazy("more than a month"),
)


@dataclass(frozen=True)
class FiguresPage(Shown):
    template = "figures/page.html"

    found: Figures
    teams: Sequence[Team]
    team: Team | None
    #: Links to other periods: days and query string.
    periods: Sequence[tuple[int, str]]
    kinds: Sequence[Bar]
    channels: Sequence[Bar]
    by_team: Sequence[Bar]
    late: HeatMap
    late_href: str
    first: Sequence[Bar]
    answers: Sequence[Bar]
    handled: Sequence[Bar]
    ageing: Sequence[Bar]
    messages: int
    declined: int
    reported: int
    least: int = showing.LEAST_PEOPLE
    ignored: Sequence[str] = ()


@page()
def overview(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Show the figures of ``team`` (all by default) from ``since`` to ``until`` (the last four weeks by default)."""
    if not may_see_figures(viewer):
        raise NotPermitted(_("Figures are for supervisors, compliance officers and auditors."))
    mine, ignored = showing.teams(viewer), []
    given = request.GET.get("team", "")
    team = next((one for one in mine if str(one.pk) == given), None)
    if given and team is None:
        ignored.append("team")
    first, last = period()
    try:
        since, until = (request.GET.get(name, "") for name in ("since", "until"))
        last = min(date.fromisoformat(until), last) if until else last
        first = date.fromisoformat(since) if since else last - timedelta(days=showing.DAYS - 1)
        if not timedelta() <= last - first < timedelta(days=showing.MOST_DAYS):
            raise ValueError("too long, or the wrong way round")
    except ValueError:
        ignored.append("since")
        first, last = period()
    found = figures(viewer=viewer, first=first, last=last, team=team)
    return show(request, viewer, _page(found, mine, team, ignored))


def _page(found: Figures, mine: Sequence[Team], team: Team | None, ignored: Sequence[str]) -> FiguresPage:
    chosen = {"team": str(team.pk)} if team is not None else {}
    whole = {"status": "all", "since": found.first.isoformat(), "until": found.last.isoformat(), **chosen}
    counts: Mapping[str, Mapping[str, int]] = found.counts
    kinds = dict(FindingKind.choices)
    credit = counts.get("credit", {})
    sides = (Side.CUSTOMER, _("the customer wrote first")), (Side.EMPLOYEE, _("the employee wrote first"))
    return FiguresPage(
        found=found,
        teams=mine,
        team=team,
        periods=[(days, _period(days, chosen)) for days in PERIODS],
        kinds=bars(
            (kinds.get(kind, kind), number, _queue(whole | {"kind": kind}))
            for kind, number in sorted(counts.get("alert", {}).items(), key=lambda one: -one[1])
        ),
        channels=bars(
            (str(label(alias)), number, "")
            for alias, number in sorted(counts.get("channel", {}).items(), key=lambda one: -one[1])
        ),
        by_team=bars(
            (one.name, number, _queue(whole | {"team": str(one.pk)})) if one is not None else (_("no team"), number, "")
            for one, number in found.by_team
        ),
        late=heat_map(found.late),
        late_href=_queue(whole | {"topic": "after_hours"}),
        first=bars((words, counts.get("after_first", {}).get(side.value, 0), "") for side, words in sides),
        answers=bars((words, counts.get("answer", {}).get(part, 0), "") for part, words in WAITS.items()),
        handled=bars(
            (words, counts.get("handled", {}).get(part, 0), "") for part, words in WAITS.items() if part != UNANSWERED
        ),
        ageing=bars(
            (words, number, _queue({**chosen, **({"age": str(least)} if least else {"status": "waiting"})}))
            for words, number, least in zip(AGES, found.ageing, showing.AGES, strict=True)
        ),
        messages=sum(counts.get("message", {}).values()),
        declined=credit.get("refuse", 0),
        reported=credit.get("report", 0),
        ignored=ignored,
    )


def _queue(query: Mapping[str, str]) -> str:
    return f"{reverse('crm_contact_guard:alerts')}?{urlencode(query)}"


def _period(days: int, chosen: Mapping[str, str]) -> str:
    first, last = period(days)
    return urlencode({**chosen, "since": first.isoformat(), "until": last.isoformat()})
