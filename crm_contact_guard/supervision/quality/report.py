"""What random review and second reviews show so far: the bound on what was missed, and how far reviewers agree."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.quality.agreement import Agreement, agreement
from crm_contact_guard.supervision.quality.intervals import Missed, missed_share
from crm_contact_guard.supervision.quality.models import SampleDraw, SampledTalk, SecondReview

#: How a judgement is compared: whether the alert was right.
TRUE, FALSE = "true", "false"


@dataclass(frozen=True, kw_only=True)
class Quality:
    """``drawn``: sampled conversations, of which ``missed.read`` were read. ``frame``: all without a warning."""

    frame: int
    drawn: int
    missed: Missed
    #: Second reviews drawn and given, with whether both saw a true alert, and with the resolutions themselves.
    second_drawn: int
    second: Agreement
    resolutions: Agreement


def quality(tenant: str, since: datetime, talks: QuerySet[SampledTalk] | None = None) -> Quality:
    """Return the result of all draws of weeks that ended since a time. ``talks``: only these sampled conversations."""
    draws = SampleDraw.objects.filter(tenant=tenant, ends_at__gte=since)
    rows = (SampledTalk.objects.all() if talks is None else talks).filter(draw__in=draws).select_related("draw")
    read = [(row.draw.chance, row.verdict == SampledTalk.Verdict.MISSED) for row in rows if row.verdict]
    again = SecondReview.objects.filter(draw__in=draws)
    pairs = list(again.exclude(given_at=None).values_list("first", "resolution"))
    return Quality(
        frame=sum(draws.values_list("frame", flat=True)),
        drawn=rows.count(),
        missed=missed_share(read),
        second_drawn=again.count(),
        second=agreement(_judgements(pairs), (TRUE, FALSE)),
        resolutions=agreement(pairs, [value for value, _label in Alert.RESOLUTIONS[:3]]),
    )


def _judgements(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    words = {True: FALSE, False: TRUE}
    false = Alert.Resolution.FALSE_POSITIVE
    return [(words[first == false], words[second == false]) for first, second in pairs]
