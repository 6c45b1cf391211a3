"""Quality of review: what to read and judge a second time, what was missed at most, how often rules are right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.console.conversation import thread
from crm_contact_guard.console.conversation.thread import Window
from crm_contact_guard.console.page import Shown, page, show
from crm_contact_guard.console.supervisor.queue_page import supervising
from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.exceptions import AlreadyClosed, InvalidMessage, NotPossible
from crm_contact_guard.policy.rulebook import SilentRule
from crm_contact_guard.policy.versions.current import in_force
from crm_contact_guard.record.models import Direction, Message
from crm_contact_guard.supervision.models import Alert, Finding, FindingKind
from crm_contact_guard.supervision.quality import reading, second
from crm_contact_guard.supervision.quality.drawing import JUDGED
from crm_contact_guard.supervision.quality.models import SampledTalk, SecondReview
from crm_contact_guard.supervision.quality.precision import Precision, precisions, rule_silence, rule_unsilence
from crm_contact_guard.supervision.quality.report import FALSE, TRUE, Quality, quality
from crm_contact_guard.supervision.showing import shown
from crm_contact_guard.supervision.titles import alert_title
from crm_contact_guard.viewing.conversations import seen

#: How far back results go, and how many messages of a week are shown and offered.
SINCE: Final = timedelta(days=365)
MOST: Final = 80
#: Characters of a message in the list of messages to choose from.
_BEGINNING: Final = 40


@dataclass(frozen=True)
class Rule:
    """A rule's line in the table, with percentages."""

    found: Precision
    value: float
    low: float
    high: float
    name: str


@dataclass(frozen=True)
class QualityPage(Shown):
    template = "quality/page.html"

    found: Quality
    at_most: float
    #: What the viewer has to read and to judge again; the first of each, and how many.
    talk: SampledTalk | None
    talks: int
    second: SecondReview | None
    seconds: int
    #: The four counts of second reviews: both right, only the first, only the second, neither.
    counts: Sequence[int]
    rules: Sequence[Rule]
    silent: Sequence[Rule]
    may_review: bool
    may_set: bool
    #: What has just been done: "read", "second" or "rule".
    done: str = ""
    problem: str = ""


@dataclass(frozen=True)
class SamplePage(Shown):
    template = "quality/sample.html"

    row: SampledTalk
    window: Window
    may_read: bool
    messages: Sequence[tuple[UUID, str]]
    kinds: Sequence[tuple[str, str | Promise]]
    left: int
    problem: str = ""
    kind: str = ""
    message: str = ""


@dataclass(frozen=True)
class SecondPage(Shown):
    """An alert to judge again. Nothing here says how it ended, nor when, nor by whom."""

    template = "quality/second.html"

    row: SecondReview
    title: str
    window: Window
    resolutions: Sequence[tuple[str, str | Promise]]
    left: int
    problem: str = ""


@page()
def overview(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Show what the viewer has to read and judge, and the results so far."""
    return show(request, viewer, _overview(request, viewer))


@page()
def sample(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Show a conversation that was drawn. The view is recorded."""
    row = _sampled(viewer, pk)
    seen(viewer, row.conversation, "sample")
    return show(request, viewer, _sample(viewer, row))


@page("POST")
def sample_read(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Say whether something was missed, and go on with the next conversation."""
    row = _sampled(viewer, pk)
    given = {name: request.POST.get(name, "") for name in ("kind", "message")}
    try:
        message = UUID(given["message"])
    except ValueError:
        message = None
    try:
        reading.sample_read(
            sample_id=row.pk,
            reader=viewer,
            verdict=request.POST.get("verdict", ""),
            message_id=message,
            kind=given["kind"],
        )
    except (AlreadyClosed, InvalidMessage) as error:
        status = 409 if isinstance(error, AlreadyClosed) else 422
        return show(
            request,
            viewer,
            replace(_sample(viewer, row), problem=str(error), kind=given["kind"], message=given["message"]),
            status=status,
        )
    following = reading.to_read(viewer).first()
    return _after("quality_sample", following.pk if following is not None else None, "read")


@page()
def second_review(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Show a closed alert to its second reviewer, without the first judgement. The view is recorded."""
    row = get_object_or_404(second.to_review(viewer), pk=pk)
    seen(viewer, row.alert.conversation, "second_review", str(row.pk))
    return show(request, viewer, _second(viewer, row))


@page("POST")
def second_review_give(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Give the second judgement, and go on with the next alert."""
    row = SecondReview.objects.filter(pk=pk, reviewer=viewer).select_related("alert").first()
    if row is None:
        raise Http404
    try:
        second.second_review_give(review_id=pk, reviewer=viewer, resolution=request.POST.get("resolution", ""))
    except InvalidMessage as error:
        waiting = get_object_or_404(second.to_review(viewer), pk=pk)
        return show(request, viewer, replace(_second(viewer, waiting), problem=str(error)), status=422)
    except AlreadyClosed as error:
        return show(request, viewer, replace(_overview(request, viewer), problem=str(error)), status=409)
    following = second.to_review(viewer).first()
    return _after("quality_second", following.pk if following is not None else None, "second")


@page("POST")
def silence(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Accept that a rule is silent from now on, or (``act`` is "speak") let it raise alerts again."""
    supervising(viewer)
    rule = SilentRule(*(request.POST.get(name, "") for name in SilentRule._fields))
    try:
        if request.POST.get("act") == "speak":
            rule_unsilence(rule=rule, accepted_by=viewer)
        else:
            rule_silence(rule=rule, since=_since(), accepted_by=viewer)
    except NotPossible as error:
        return show(request, viewer, replace(_overview(request, viewer), problem=str(error)), status=409)
    return _after("", None, "rule")


def _overview(request: HttpRequest, viewer: Employee) -> QualityPage:
    supervising(viewer)
    since = _since()
    found = quality(viewer.tenant, since, None if permissions.sees_all(viewer) else reading.sampled(viewer))
    talks, seconds = reading.to_read(viewer), second.to_review(viewer)
    may_review = viewer.role != Role.AUDITOR
    pairs = ((TRUE, TRUE), (TRUE, FALSE), (FALSE, TRUE), (FALSE, FALSE))
    rules = [_rule(one) for one in precisions(viewer.tenant, since, viewer=viewer)]
    known = {one.found.rule for one in rules}
    return QualityPage(
        found=found,
        at_most=_percent(found.missed.at_most),
        talk=talks.first() if may_review else None,
        talks=talks.count(),
        second=seconds.first(),
        seconds=seconds.count(),
        counts=[found.second.counts.get(pair, 0) for pair in pairs],
        rules=rules,
        silent=[_silent(rule) for rule in in_force(viewer.tenant).rules.silent if rule not in known],
        may_review=may_review,
        may_set=permissions.may_set_policy(viewer),
        done=request.GET.get("done", ""),
    )


def _sample(viewer: Employee, row: SampledTalk) -> SamplePage:
    said = list(reading.said_in_week(row)[:MOST])
    places = said or list(Message.objects.filter(conversation=row.conversation).order_by("-occurred_at", "-pk")[:1])
    choices = [
        (one.pk, f"{timezone.localtime(one.occurred_at):%m-%d %H:%M} {shown(one.text)[:_BEGINNING]}")
        for one in reversed(said)
        if one.direction != Direction.NOTE
    ]
    kinds = dict(FindingKind.choices)
    return SamplePage(
        row=row,
        window=thread.around(row.conversation, Finding.objects.none(), places, margin=4),
        may_read=viewer.role != Role.AUDITOR and not row.verdict,
        messages=choices,
        kinds=[(kind, kinds[kind]) for kind in reading.KINDS],
        left=reading.to_read(viewer).count(),
    )


def _second(viewer: Employee, row: SecondReview) -> SecondPage:
    alert = row.alert
    findings = alert.findings.select_related("message").order_by("message__occurred_at", "start")
    here = [one.message for one in findings if one.message.conversation_id == alert.conversation_id]
    places = sorted(here or [alert.at_message], key=lambda message: (message.occurred_at, message.pk))
    return SecondPage(
        row=row,
        title=alert_title(alert),
        window=thread.around(alert.conversation, findings, places, margin=4),
        resolutions=[(value, label) for value, label in Alert.RESOLUTIONS if value in JUDGED],
        left=second.to_review(viewer).count(),
    )


def _sampled(viewer: Employee, pk: UUID) -> SampledTalk:
    rows = reading.sampled(viewer).select_related("conversation__customer", "draw", "read_by", "alert")
    return get_object_or_404(rows, pk=pk)


def _rule(found: Precision) -> Rule:
    low, high = found.share.bounds
    return Rule(found, _percent(found.share.value), _percent(low), _percent(high), _name(found.rule))


def _silent(rule: SilentRule) -> Rule:
    return _rule(Precision.unjudged(rule))


def _name(rule: SilentRule) -> str:
    scripts = {"ja": _("Japanese"), "ko": _("Korean"), "th": _("Thai"), "zh": _("Chinese"), "latin": _("Latin letters")}
    return f"{rule.detector} · {scripts.get(rule.script, _('other texts'))}"


def _percent(share: float) -> float:
    return round(share * 100, 1)


def _since() -> datetime:
    return timezone.now() - SINCE


def _after(name: str, key: UUID | None, done: str) -> HttpResponse:
    response = redirect(f"crm_contact_guard:{name}", key) if key is not None else redirect("crm_contact_guard:quality")
    response["Location"] += f"?done={done}"
    return response
