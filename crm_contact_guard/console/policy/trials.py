"""Trials of rules on past messages: start one from a version, follow it, see its results, cancel it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.console.page import Shown, page, show
from crm_contact_guard.console.policy.views import version_find, version_show
from crm_contact_guard.console.policy.wording import ACTIONS, Difference, differences, industry_label, rule_label
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.policy import presets, rulebook
from crm_contact_guard.policy.versions.current import in_force
from crm_contact_guard.record.models import Message
from crm_contact_guard.supervision.models import Side
from crm_contact_guard.supervision.rehearsing.models import RuleTrial
from crm_contact_guard.supervision.rehearsing.totals import Group
from crm_contact_guard.supervision.rehearsing.trials import Course, course, trial_cancel, trial_start


@dataclass(frozen=True)
class Times:
    """How many messages had an action, and would have it."""

    action: str
    before: int
    after: int


@dataclass(frozen=True)
class Sampled:
    """How often something would have happened, and some of the messages with which."""

    what: str
    times: int
    samples: Sequence[Message]


@dataclass(frozen=True)
class TrialPage(Shown):
    """How far a trial is, and what it found."""

    template = "policy/trial.html"

    trial: RuleTrial
    name: str
    done: int
    #: None until the messages have been counted.
    total: int | None
    outbound: int
    changes: Sequence[Difference]
    actions: Sequence[Times]
    decisions: Sequence[Sampled]
    appearing: Sequence[Sampled]
    vanishing: Sequence[Sampled]
    rules: Sequence[Sampled]
    may_set: bool

    @property
    def is_running(self) -> bool:
        return self.trial.state == RuleTrial.State.RUNNING

    @property
    def has_results(self) -> bool:
        return self.trial.state == RuleTrial.State.DONE


@dataclass(frozen=True)
class TrialProgress(Shown):
    """How far a trial is."""

    template = "policy/trial_progress.html"

    done: int
    total: int | None


@page("POST")
def begin(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Try a version on past messages."""
    row = version_find(viewer, pk)
    try:
        trial = trial_start(rules=rulebook.from_text(row.text), started_by=viewer)
    except InvalidMessage as error:
        return version_show(request, viewer, row, problem=str(error))
    return redirect("crm_contact_guard:policy_trial", trial.pk)


@page()
def trial(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Show a trial."""
    row = _find(viewer, pk)
    return show(request, viewer, _trial_page(viewer, row, course(row)))


@page()
def news(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Return how far a trial is. When it has ended, have the page loaded again."""
    row = _find(viewer, pk)
    now = course(row)
    response = show(request, viewer, TrialProgress(now.found.messages, now.total))
    if row.state != RuleTrial.State.RUNNING:
        response["HX-Refresh"] = "true"
    return response


@page("POST")
def cancel(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Cancel a trial."""
    trial_cancel(trial_id=_find(viewer, pk).pk, cancelled_by=viewer)
    return redirect("crm_contact_guard:policy_trial", pk)


def _find(viewer: Employee, pk: UUID) -> RuleTrial:
    if not permissions.may_read_policy(viewer):
        raise NotPermitted(_("Compliance officers decide on the rules."))
    return get_object_or_404(RuleTrial.objects.select_related("author"), pk=pk, tenant=viewer.tenant)


def _trial_page(viewer: Employee, row: RuleTrial, now: Course) -> TrialPage:
    rules, found = rulebook.from_text(row.text), now.found
    by_name = (found.appearing, found.vanishing, found.rules)
    groups = [*found.decisions.values(), *(group for part in by_name for group in part.values())]
    wanted = {key for group in groups for key in group.samples}
    messages = Message.objects.filter(pk__in=wanted, tenant=row.tenant).select_related("conversation__customer")
    known = {message.pk: message for message in messages}
    decisions = {
        _("“%(did)s” becomes “%(would)s”") % {"did": ACTIONS[did], "would": ACTIONS[would]}: group
        for (did, would), group in found.decisions.items()
    }
    return TrialPage(
        trial=row,
        name=industry_label(rules.industry),
        done=found.messages,
        total=now.total,
        outbound=found.outbound,
        changes=list(differences(in_force(viewer.tenant).rules, rules)),
        actions=[Times(str(ACTIONS[one]), found.before[one], found.after[one]) for one in presets.ACTIONS],
        decisions=list(_listed(decisions.items(), known)),
        appearing=list(_listed(((str(Side(side).label), group) for side, group in found.appearing.items()), known)),
        vanishing=list(_listed(((str(Side(side).label), group) for side, group in found.vanishing.items()), known)),
        rules=list(_listed(((rule_label(name), group) for name, group in found.rules.items()), known)),
        may_set=permissions.may_set_policy(viewer),
    )


def _listed(groups: Iterable[tuple[str, Group]], known: dict[UUID, Message]) -> Iterator[Sampled]:
    """Yield the groups with their messages, largest first."""
    for what, group in sorted(groups, key=lambda one: -one[1].times):
        yield Sampled(what, group.times, [known[key] for key in group.samples if key in known])
