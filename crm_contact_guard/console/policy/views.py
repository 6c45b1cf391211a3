"""The rules before sending: what is in force, a new version and its differences, and all versions with theirs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet
from django.forms import BoundField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.console.page import Shown, page, show
from crm_contact_guard.console.policy.forms import Line, PolicyForm, Scores
from crm_contact_guard.console.policy.sampling import SampleLine, sampled_lines
from crm_contact_guard.console.policy.wording import ACTIONS, Difference, differences, industry_label
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.policy import presets, rulebook
from crm_contact_guard.policy.actions import Action
from crm_contact_guard.policy.rulebook import Rulebook
from crm_contact_guard.policy.versions.current import in_force
from crm_contact_guard.policy.versions.models import PolicyVersion
from crm_contact_guard.policy.versions.publishing import (
    shadow_start,
    version_approve,
    version_publish,
    version_withdraw,
)
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.rehearsing.models import RuleTrial
from crm_contact_guard.supervision.rehearsing.trials import trial_start

#: Number of versions listed, and of silent differences that are counted.
MOST, MOST_COUNTED = 50, 10_000


@dataclass(frozen=True)
class Industry:
    """A preset to start from."""

    name: str
    label: str
    chosen: bool


@dataclass(frozen=True)
class Listed:
    """A version in the list."""

    row: PolicyVersion
    in_force: bool
    name: str


@dataclass(frozen=True)
class Counted:
    """How often the silent version would have done something else."""

    did: str
    would: str
    times: int


@dataclass(frozen=True)
class PolicyPage(Shown):
    """The form of a new version, its differences from the one in force, and the versions so far."""

    template = "policy/policy.html"

    lines: Sequence[Line]
    scores: Sequence[Scores]
    #: A text to judge, and whether the time is against it.
    sample: Sequence[BoundField]
    #: Review share, reason and time.
    others: Sequence[BoundField]
    errors: Sequence[str]
    industries: Sequence[Industry]
    #: None until the person asks to see the differences.
    changes: Sequence[Difference] | None
    versions: Sequence[Listed]
    industry: str
    #: The trial whose rules the form starts from; empty if there is none.
    trial: str
    #: What the rules do with the typed text.
    sampled: Sequence[SampleLine]
    trials: Sequence[RuleTrial]
    silent: PolicyVersion | None
    counted: Sequence[Counted]
    may_set: bool


@dataclass(frozen=True)
class VersionPage(Shown):
    """One version: what it changed, who decided on it and why."""

    template = "policy/version.html"

    listed: Listed
    changes: Sequence[Difference]
    reasons: Sequence[str]
    may_set: bool
    may_approve: bool
    may_withdraw: bool
    problem: str


@page("GET", "POST")
def policy(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Show the rules in force, and a form for a new version.

    The form starts from the rules in force, from a preset (``industry``) or from rules that were tried (``trial``).
    """
    allowed = permissions.may_set_policy if request.method == "POST" else permissions.may_read_policy
    if not allowed(viewer):
        raise NotPermitted(_("Compliance officers decide on the rules."))
    now = in_force(viewer.tenant).rules
    given = request.POST if request.method == "POST" else request.GET
    industry, trial, act = given.get("industry", ""), given.get("trial", ""), request.POST.get("act", "")
    base = _base(viewer, industry, trial) or now
    data = request.POST if request.method == "POST" else None
    form = PolicyForm(base, data, tries=act in ("look", "rehearse", "sample"))
    changes = list(differences(now, base)) if base is not now else None
    sampled: list[SampleLine] = []
    if form.is_bound and form.is_valid():
        rules = form.rulebook()
        changes = list(differences(now, rules))
        if act in ("publish", "silent"):
            row = _publish(form, viewer, silent=act == "silent")
            if row is not None:
                return redirect("crm_contact_guard:policy_version", row.pk)
        elif act == "rehearse":
            try:
                return redirect("crm_contact_guard:policy_trial", trial_start(rules=rules, started_by=viewer).pk)
            except InvalidMessage as error:
                form.add_error(None, str(error))
        elif act == "sample" and form.cleaned_data["sample"].strip():
            sampled = list(sampled_lines(form, viewer))
    status = 422 if form.is_bound and not form.is_valid() else 200
    shown = _policy_page(viewer, form, changes, industry=industry, trial=trial, sampled=sampled)
    return show(request, viewer, shown, status=status)


def _base(viewer: Employee, industry: str, trial: str) -> Rulebook | None:
    """Return the rules that the form starts from instead of those in force."""
    if industry in presets.INDUSTRIES:
        return rulebook.from_preset(industry)
    try:
        row = RuleTrial.objects.filter(pk=UUID(trial), tenant=viewer.tenant).first()
    except ValueError:
        return None
    return rulebook.from_text(row.text) if row is not None else None


@page()
def version(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Show one version and its differences from the one before."""
    return version_show(request, viewer, version_find(viewer, pk))


@page("POST")
def approve(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Approve a version that somebody else proposed."""
    row = version_find(viewer, pk)
    try:
        version_approve(version_id=row.pk, approved_by=viewer)
    except InvalidMessage as error:
        return version_show(request, viewer, row, problem=str(error))
    return redirect("crm_contact_guard:policy_version", row.pk)


@page("POST")
def withdraw(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Withdraw a version that isn't valid yet, or end the silent run of one."""
    row = version_find(viewer, pk)
    try:
        version_withdraw(version_id=row.pk, reason=request.POST.get("reason", ""), withdrawn_by=viewer)
    except InvalidMessage as error:
        return version_show(request, viewer, row, problem=str(error))
    return redirect("crm_contact_guard:policy_version", row.pk)


def _publish(form: PolicyForm, viewer: Employee, *, silent: bool) -> PolicyVersion | None:
    """Publish the version, or let it run silently. Return None and add the error to the form if it is refused."""
    given = form.cleaned_data
    try:
        if silent:
            return shadow_start(rules=form.rulebook(), reason=given["reason"], started_by=viewer)
        return version_publish(
            rules=form.rulebook(), reason=given["reason"], published_by=viewer, valid_from=given["valid_from"]
        )
    except InvalidMessage as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))
        return None


def version_find(viewer: Employee, pk: UUID) -> PolicyVersion:
    """Return a version of the viewer's tenant. Raise NotPermitted or Http404."""
    if not permissions.may_read_policy(viewer):
        raise NotPermitted(_("Compliance officers decide on the rules."))
    return get_object_or_404(_rows(viewer), pk=pk)


def _rows(viewer: Employee) -> QuerySet[PolicyVersion]:
    return PolicyVersion.objects.filter(tenant=viewer.tenant).select_related("author", "approved_by")


def _listed(row: PolicyVersion, now: UUID | None) -> Listed:
    rules = rulebook.from_text(row.text)
    return Listed(row, in_force=row.pk == now, name=industry_label(rules.industry))


def _policy_page(
    viewer: Employee,
    form: PolicyForm,
    changes: Sequence[Difference] | None,
    *,
    industry: str,
    trial: str,
    sampled: Sequence[SampleLine],
) -> PolicyPage:
    now = in_force(viewer.tenant)
    trials = RuleTrial.objects.filter(tenant=viewer.tenant).select_related("author").order_by("-created_at")
    running = PolicyVersion.objects.filter(tenant=viewer.tenant, state=PolicyVersion.State.SHADOW)
    silent = running.first() if now.shadow is not None else None
    return PolicyPage(
        lines=list(form.lines()),
        scores=list(form.scores()),
        sample=[form[name] for name in ("sample", "off_duty", "quiet")],
        others=[form[name] for name in ("review_share", "reason", "valid_from")],
        errors=[str(error) for error in form.non_field_errors()],
        industries=[Industry(name, industry_label(name), name == form.base.industry) for name in presets.INDUSTRIES],
        changes=changes,
        versions=[_listed(row, now.version.id) for row in _rows(viewer).order_by("-valid_from", "-id")[:MOST]],
        industry=industry,
        trial=trial,
        sampled=sampled,
        trials=list(trials[:MOST]),
        silent=silent,
        counted=_counted(silent) if silent is not None else [],
        may_set=permissions.may_set_policy(viewer),
    )


def _counted(silent: PolicyVersion) -> list[Counted]:
    """Return how often the silent version would have acted differently, most frequent differences first."""
    rows = Event.objects.filter(
        subject_type="silent_policy",
        subject_id=silent.digest,
        recorded_at__gte=silent.valid_from,
        tenant=silent.tenant,
    ).order_by("-recorded_at")
    pairs: Counter[tuple[str, str]] = Counter()
    for text in rows.values_list("data", flat=True)[:MOST_COUNTED]:
        data = json.loads(text)
        pairs[data["did"], data["would"]] += 1
    return [
        Counted(str(ACTIONS[Action(did)]), str(ACTIONS[Action(would)]), times)
        for (did, would), times in pairs.most_common()
    ]


def version_show(request: HttpRequest, viewer: Employee, row: PolicyVersion, *, problem: str = "") -> HttpResponse:
    """Return the page of a version. ``problem`` says why what was asked for was not done."""
    row.refresh_from_db()
    before = (
        _rows(viewer)
        .filter(valid_from__lte=row.valid_from, state=PolicyVersion.State.PUBLISHED)
        .exclude(pk=row.pk)
        .order_by("-valid_from", "-id")
        .first()
    )
    old = rulebook.from_text(before.text) if before is not None else rulebook.from_settings()
    told = Event.objects.filter(subject_type="policy", subject_id=str(row.pk)).order_by("recorded_at", "id")
    may_set = permissions.may_set_policy(viewer)
    state = PolicyVersion.State
    waits = row.state in (state.PROPOSED, state.SHADOW) or (
        row.state == state.PUBLISHED and row.valid_from > timezone.now()
    )
    shown = VersionPage(
        listed=_listed(row, in_force(viewer.tenant).version.id),
        changes=list(differences(old, rulebook.from_text(row.text))),
        reasons=[text for text in told.values_list("reason", flat=True) if text],
        may_set=may_set,
        may_approve=may_set and row.state == state.PROPOSED and row.author_id != viewer.pk,
        may_withdraw=may_set and waits,
        problem=problem,
    )
    return show(request, viewer, shown, status=422 if problem else 200)
