"""The figures of a proposed pay cut: read, checked against the law (``pay_cut``), and stored with the plan."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from django.utils.translation import gettext as _

from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.proof.canonical import canonical_json
from crm_contact_guard.supervision.cases import acts
from crm_contact_guard.supervision.cases.models import Case
from crm_contact_guard.supervision.cases.outcomes import Outcome
from crm_contact_guard.supervision.cases.pay_cut import (
    Cut,
    InvalidPayCut,
    average_wage,
    days_of_three_months,
    plan,
)

#: ``wages``: of the last three months; ``closing``: their last wage closing day; ``days_worked``: for pay by the day,
#: hour or piece; ``cuts``: yen for each incident; ``periods``: wages of the coming periods; ``already``: earlier cuts.
_KNOWN: Final = {"wages", "closing", "days_worked", "cuts", "periods", "already"}
_MOST_YEN: Final = 10**9
_MOST_FIGURES: Final = 50


def planned(case: Case, outcome: str, terms: Mapping[str, Any] | None) -> str:
    """Return the figures and the plan of a pay cut as canonical JSON; empty for other outcomes.

    Raise InvalidMessage, which names the figure and what the law permits.
    """
    if outcome != Outcome.PAY_CUT:
        if terms:
            raise InvalidMessage(_("Only a pay cut has figures."), field="terms")
        return ""
    given = dict(terms or {})
    if unknown := set(given) - _KNOWN:
        raise InvalidMessage(_("There is no figure %(name)s.") % {"name": min(unknown)[:50]}, field="terms")
    wages = _yen(given.get("wages"), "wages")
    closing = _day(given.get("closing"))
    worked = None if given.get("days_worked") in (None, "") else _yen(given["days_worked"], "days_worked")
    cuts, periods, already = (_list(given.get(name, ()), name) for name in ("cuts", "periods", "already"))
    incidents = acts.incidents(case) or [str(case.pk)]
    if len(cuts) > len(incidents):
        words = _("The case shows %(number)d incidents. Each may be cut once.") % {"number": len(incidents)}
        raise InvalidMessage(words, field="cuts")
    days = days_of_three_months(closing)
    try:
        average = average_wage(wages, days, days_worked=worked)
        named = [Cut(incident=incident, yen=yen) for incident, yen in zip(incidents, cuts, strict=False)]
        found = plan(named, average, periods, already)
    except InvalidPayCut as error:
        raise InvalidMessage(_("This figure can't be right."), field=error.field) from error
    if found.excesses:
        words = _("More than the law permits: at most %(most)d yen for one incident, half a day's average wage.")
        raise InvalidMessage(words % {"most": found.per_incident}, field="cuts")
    if found.rest:
        words = _("%(rest)d yen can't be cut at all: at most a tenth of the wages of each period may be cut.")
        raise InvalidMessage(words % {"rest": found.rest}, field="periods")
    return canonical_json(
        {
            "wages": wages,
            "closing": closing.isoformat(),
            "days": days,
            "days_worked": worked,
            "average": int(average),
            "per_incident": found.per_incident,
            "cuts": cuts,
            "periods": periods,
            "already": already,
            "instalments": [[one.yen, one.limit] for one in found.instalments],
        }
    )


def shown(case: Case) -> Mapping[str, Any]:
    """Return the stored figures; empty if there are none."""
    return dict(json.loads(case.terms)) if case.terms else {}


def _yen(value: Any, field: str) -> int:
    try:
        number = int(str(value).replace(",", "").strip())
    except ValueError:
        number = -1
    if not 0 <= number <= _MOST_YEN:
        raise InvalidMessage(_("Give a whole number."), field=field)
    return number


def _list(value: Any, field: str) -> list[int]:
    parts = value.split() if isinstance(value, str) else value
    if not isinstance(parts, Sequence) or len(parts) > _MOST_FIGURES:
        raise InvalidMessage(_("Give whole numbers."), field=field)
    return [_yen(part, field) for part in parts]


def _day(value: Any) -> date:
    try:
        day = value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError:
        day = date.min
    if not 2000 <= day.year <= 2200:
        raise InvalidMessage(_("Give a date."), field="closing")
    return day
