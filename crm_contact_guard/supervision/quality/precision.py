"""How often each rule was right: the share of true alerts among those judged by people, with Wilson's interval.

A rule is a detector in one version and one script. One judgement counts once: an alert with many findings of a rule is
one case, and so are alerts that were closed together, and those with the same words of one employee.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self, cast

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from crm_contact_guard.conf import settings
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import NotPermitted, NotPossible
from crm_contact_guard.policy.rulebook import Rulebook, SilentRule
from crm_contact_guard.policy.versions.current import in_force
from crm_contact_guard.policy.versions.models import PolicyVersion
from crm_contact_guard.policy.versions.publishing import version_publish
from crm_contact_guard.policy.versions.rights import may_set_policy
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.handling.alike import COLUMNS, Words
from crm_contact_guard.supervision.handling.bulk import BATCH
from crm_contact_guard.supervision.models import Alert, Finding, Topic
from crm_contact_guard.supervision.quality.intervals import Share
from crm_contact_guard.supervision.quality.models import SecondReview
from crm_contact_guard.supervision.quality.reading import PERSON
from crm_contact_guard.supervision.quality.scripts import script_of

#: Topics whose findings are a detector's opinion. Whether a message is after hours or could be read is none.
TOPICS: Final = (Topic.OFF_CHANNEL, Topic.HARASSMENT, Topic.SENSITIVE_DATA)


@dataclass(frozen=True, kw_only=True)
class Precision:
    """One rule: ``share`` of true alerts. ``silent``: it raises no alerts now. ``proposed``: it should not."""

    rule: SilentRule
    share: Share
    silent: bool
    proposed: bool

    @classmethod
    def unjudged(cls, rule: SilentRule) -> Self:
        """Return a silent rule of which no alert was judged lately."""
        return cls(rule=rule, share=Share(0, 0), silent=True, proposed=False)


def precisions(tenant: str, since: datetime, *, viewer: Employee | None = None) -> list[Precision]:
    """Return the rules with alerts that people closed since a time, those judged most often first.

    ``viewer``: leave out what this person hasn't given a second review of yet, which the counts could tell.
    """
    judgements: dict[SilentRule, dict[Hashable, bool]] = defaultdict(dict)
    blind = SecondReview.objects.filter(reviewer=viewer, given_at=None) if viewer is not None else None
    right: dict[tuple[SilentRule, str], bool] = {}
    words: dict[str, Words] = defaultdict(Words)
    for finding in _judged(tenant, since, blind):
        rule = SilentRule(finding.detector, finding.version, script_of(finding.message.text))
        key = str(finding.alert_id)
        right[rule, key] = cast(Alert, finding.alert).resolution != Alert.Resolution.FALSE_POSITIVE
        words[key].add(finding)
    cases = _cases(words, _batches(tenant, since))
    for (rule, key), was_right in right.items():
        judgements[rule][cases[key]] = was_right
    silent = set(in_force(tenant).rules.silent)
    return sorted(
        (_precision(rule, Share(sum(found.values()), len(found)), silent) for rule, found in judgements.items()),
        key=lambda one: (-one.share.whole, one.rule),
    )


def _precision(rule: SilentRule, share: Share, silent: set[SilentRule]) -> Precision:
    below = share.bounds[1] < float(settings.PRECISION_FLOOR)
    return Precision(rule=rule, share=share, silent=rule in silent, proposed=below and rule not in silent)


def rule_silence(*, rule: SilentRule, since: datetime, accepted_by: Employee) -> PolicyVersion:
    """Accept that a rule proposes itself for silence: publish (or propose) the rules in force with this change.

    Its findings are then noticed, and raise no alerts. Raise NotPermitted, or NotPossible if it doesn't propose itself.
    """
    if not may_set_policy(accepted_by):
        raise NotPermitted(_("Compliance officers decide on the rules."))
    found = next((one for one in precisions(accepted_by.tenant, since) if one.rule == rule and one.proposed), None)
    if found is None:
        raise NotPossible(_("This rule isn't proposed any more. Look at the list again."))
    reason = _("%(rule)s: %(true)d of %(all)d alerts were right, at most %(most)s.") % {
        "rule": rule.detector,
        "true": found.share.part,
        "all": found.share.whole,
        "most": f"{found.share.bounds[1]:.1%}",
    }
    rules = in_force(accepted_by.tenant).rules
    return _publish(rules, tuple(sorted({*rules.silent, rule})), reason, accepted_by)


def rule_unsilence(*, rule: SilentRule, accepted_by: Employee) -> PolicyVersion:
    """Let a silent rule raise alerts again. Raise NotPermitted, or NotPossible if it isn't silent."""
    if not may_set_policy(accepted_by):
        raise NotPermitted(_("Compliance officers decide on the rules."))
    rules = in_force(accepted_by.tenant).rules
    if rule not in rules.silent:
        raise NotPossible(_("This rule isn't silent."))
    reason = _("%(rule)s raises alerts again.") % {"rule": rule.detector}
    return _publish(rules, tuple(one for one in rules.silent if one != rule), reason, accepted_by)


def _publish(rules: Rulebook, silent: tuple[SilentRule, ...], reason: str, by: Employee) -> PolicyVersion:
    return version_publish(rules=rules.with_silent(silent), reason=reason, published_by=by)


def _judged(tenant: str, since: datetime, blind: QuerySet[SecondReview] | None) -> Iterator[Finding]:
    rows = Finding.objects.filter(
        alert__tenant=tenant,
        alert__status=Alert.Status.CLOSED,
        alert__closed_at__gte=since,
        alert__closed_by__isnull=False,
        alert__topic__in=TOPICS,
    ).exclude(detector=PERSON)
    if blind is not None:
        rows = rows.exclude(alert__in=blind.values("alert"))
    fields = ("detector", "version", "alert__resolution", *COLUMNS)
    return rows.select_related("alert", "message__customer").only(*fields).order_by("pk").iterator(chunk_size=500)


def _cases(words: Mapping[str, Words], batches: Mapping[str, str]) -> dict[str, Hashable]:
    """Return the case of each alert. Alerts of one batch are one case, and so are alerts with the same words."""
    case: dict[Hashable, Hashable] = {}

    def root(one: Hashable) -> Hashable:
        while case.get(one, one) != one:
            one = case[one]
        return one

    for alert, said in words.items():
        for same in (batches.get(alert), said.key):
            if same is not None:
                case[root(alert)] = root(same)
    return {alert: root(alert) for alert in words}


def _batches(tenant: str, since: datetime) -> dict[str, str]:
    """Return the batch of each alert that was last closed together with others."""
    events = Event.objects.filter(tenant=tenant, kind="alert.closed", recorded_at__gte=since).order_by(
        "recorded_at", "pk"
    )
    found = {}
    for alert, text in events.values_list("subject_id", "data").iterator(chunk_size=500):
        batch = json.loads(text).get(BATCH)
        if batch:
            found[alert] = str(batch)
        else:
            found.pop(alert, None)
    return found
