"""Formats a calibration as text for people and as data for programs. Contacts are masked unless ``show`` is set."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm_contact_guard.calibration.calibrating import Calibration
from crm_contact_guard.calibration.contacts import Contact
from crm_contact_guard.calibration.proposing import Cost, Proposal, Why
from crm_contact_guard.detection.types import Direction
from crm_contact_guard.supervision.quality.intervals import Share

_DIRECTIONS: Final = {
    Direction.OUTBOUND: gettext_lazy("Messages from employees"),
    Direction.INBOUND: gettext_lazy("Messages from customers"),
    Direction.NOTE: gettext_lazy("Notes on calls and meetings"),
}
_WHY: Final = {
    Why.TOO_FEW: gettext_lazy("Keep the threshold: too few alerts were closed to choose another."),
    Why.BEST_AS_IT_IS: gettext_lazy(
        "Keep the threshold: a higher one avoids no false alarms without losing true ones."
    ),
    Why.SPARES: gettext_lazy("The proposed threshold avoids false alarms and keeps nearly all true alerts."),
}
_LISTS: Final = {
    "phones": gettext_lazy("telephone"),
    "emails": gettext_lazy("e-mail"),
    "handles": gettext_lazy("account"),
    "urls": gettext_lazy("link"),
}


def told(calibration: Calibration, *, show: bool) -> Iterator[str]:
    """Yield the calibration as lines of text in the active language."""
    yield _(
        "%(messages)s messages in %(conversations)s conversations read; of the closed alerts %(true)s were true and "
        "%(false)s were false alarms"
    ) % {
        "messages": f"{calibration.messages:,}",
        "conversations": f"{calibration.conversations:,}",
        "true": f"{calibration.true:,}",
        "false": f"{calibration.false:,}",
    }
    for proposal in calibration.proposals:
        yield ""
        yield from _proposal(proposal)
    if setting := _setting(calibration):
        yield ""
        yield _("To use these thresholds, set:")
        yield f'    CONTACT_GUARD["THRESHOLDS"] = {json.dumps(setting)}'
    yield ""
    yield from _contacts(calibration, show=show)
    yield ""
    yield from _quiet(calibration)
    if calibration.answers:
        yield ""
        yield _("“A mistake of the detector” among the writers' answers, by rule:")
        for one in calibration.answers:
            yield f"  {one.rule}: {_of(one.mistakes)}"


def _proposal(proposal: Proposal) -> Iterator[str]:
    yield str(_DIRECTIONS[proposal.direction])
    yield "  " + _("alerts from %(threshold)s (current)") % {"threshold": f"{proposal.now.alert:.2f}"}
    yield from _cost(proposal.cost(proposal.now.alert))
    if proposal.proposed.alert != proposal.now.alert:
        yield "  " + _("alerts from %(threshold)s (proposed)") % {"threshold": f"{proposal.proposed.alert:.2f}"}
        yield from _cost(proposal.cost(proposal.proposed.alert))
    yield f"  {_WHY[proposal.why]}"
    yield "  " + _("noticed from %(threshold)s (current): %(rate)s of 1,000 messages") % {
        "threshold": f"{proposal.now.noticed:.2f}",
        "rate": _per_1000(proposal.noticed_now),
    }
    if proposal.proposed.noticed != proposal.now.noticed:
        yield "  " + _("noticed from %(threshold)s (proposed): %(rate)s of 1,000 messages") % {
            "threshold": f"{proposal.proposed.noticed:.2f}",
            "rate": _per_1000(proposal.noticed_proposed),
        }
    if proposal.small:
        yield "  " + ngettext(
            "Small numbers: %(count)d closed alert. Take this as a hint.",
            "Small numbers: %(count)d closed alerts. Take this as a hint.",
            proposal.judged,
        ) % {"count": proposal.judged}


def _cost(cost: Cost) -> Iterator[str]:
    yield "    " + _("%(alerts)s alerts: %(rate)s of 1,000 messages, %(talks)s per 100 conversations") % {
        "alerts": f"{cost.alerts.part:,}",
        "rate": _per_1000(cost.alerts),
        "talks": f"{cost.per_100_conversations:.1f}",
    }
    if cost.kept.whole:
        yield "    " + _("true alerts kept: %(share)s") % {"share": _of(cost.kept)}
    if cost.avoided.whole:
        yield "    " + _("false alarms avoided: %(share)s") % {"share": _of(cost.avoided)}


def _contacts(calibration: Calibration, *, show: bool) -> Iterator[str]:
    if not calibration.contacts:
        yield _("No contact was given by several employees to several customers.")
    else:
        yield _("Probably the company's own: several employees gave them to several customers.")
        for one in calibration.contacts:
            yield "  " + _("%(kind)s %(value)s: at least %(employees)d employees, %(customers)d customers") % {
                "kind": _LISTS[one.list],
                "value": one.value if show else one.masked,
                "employees": one.employees,
                "customers": one.customers,
            }
        yield "  " + _("Look at each with --show. Confirming them with --confirm FILE is recorded.")
    if calibration.forgetful:
        yield "  " + _("The record has too many contacts to count them all: rare ones may be missing.")


def _quiet(calibration: Calibration) -> Iterator[str]:
    if not calibration.quiet:
        yield _("No phrase occurs in many false alarms and in no true alert.")
        return
    yield _("In many false alarms and in no true alert:")
    for phrase in calibration.quiet:
        yield "  " + ngettext(
            "“%(phrase)s”: %(count)d false alarm", "“%(phrase)s”: %(count)d false alarms", phrase.alarms
        ) % {"phrase": phrase.text, "count": phrase.alarms}


def _of(share: Share) -> str:
    low, high = share.bounds
    return _("%(part)d of %(whole)d (%(low).0f–%(high).0f %%)") % {
        "part": share.part,
        "whole": share.whole,
        "low": 100 * low,
        "high": 100 * high,
    }


def _per_1000(share: Share) -> str:
    low, high = share.bounds
    return f"{1000 * share.value:.1f} ({1000 * low:.1f}–{1000 * high:.1f})"


def _setting(calibration: Calibration) -> dict[str, dict[str, float]]:
    """Return the value for ``THRESHOLDS``, with the directions whose proposal differs from the current thresholds."""
    return {
        proposal.direction.value: proposal.proposed._asdict()
        for proposal in calibration.proposals
        if proposal.proposed != proposal.now
    }


def data(calibration: Calibration, *, show: bool) -> dict[str, Any]:
    """Return the calibration as data, with the cost of every threshold that was tried."""
    return {
        "messages": calibration.messages,
        "conversations": calibration.conversations,
        "judged": {"true": calibration.true, "false": calibration.false},
        "directions": {proposal.direction.value: _proposal_data(proposal) for proposal in calibration.proposals},
        "THRESHOLDS": _setting(calibration),
        "contacts": [_contact_data(one, show=show) for one in calibration.contacts],
        "contacts_complete": not calibration.forgetful,
        "mistakes": {one.rule: _share_data(one.mistakes) for one in calibration.answers},
        "quiet_words": [{"phrase": phrase.text, "false_alarms": phrase.alarms} for phrase in calibration.quiet],
    }


def _proposal_data(proposal: Proposal) -> dict[str, Any]:
    return {
        "now": proposal.now._asdict(),
        "proposed": proposal.proposed._asdict(),
        "why": proposal.why.value,
        "judged": proposal.judged,
        "small": proposal.small,
        "noticed_now": _share_data(proposal.noticed_now),
        "noticed_proposed": _share_data(proposal.noticed_proposed),
        "costs": [
            {
                "threshold": cost.threshold,
                "alerts_of_messages": _share_data(cost.alerts),
                "alerts_per_1000_messages": round(1000 * cost.alerts.value, 2),
                "alerts_per_100_conversations": round(cost.per_100_conversations, 2),
                "true_kept": _share_data(cost.kept),
                "false_avoided": _share_data(cost.avoided),
            }
            for cost in proposal.costs
        ],
    }


def _share_data(share: Share) -> dict[str, Any]:
    low, high = share.bounds
    return {
        "part": share.part,
        "whole": share.whole,
        "low": round(low, 4),
        "high": round(high, 4),
        "small": share.small,
    }


def _contact_data(one: Contact, *, show: bool) -> dict[str, Any]:
    value = one.value if show else one.masked
    return {"list": one.list, "value": value, "employees": one.employees, "customers": one.customers}
