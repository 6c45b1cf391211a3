"""A dry run over the company's own record that proposes settings and estimates their effect. Nothing is changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from crm_contact_guard import crm
from crm_contact_guard.calibration import reading
from crm_contact_guard.calibration.answers import Answered, answered
from crm_contact_guard.calibration.contacts import Contact, Learner
from crm_contact_guard.calibration.proposing import Proposal, propose
from crm_contact_guard.calibration.quiet_words import Listener, Phrase
from crm_contact_guard.calibration.tally import Tally, grid
from crm_contact_guard.conf import settings
from crm_contact_guard.detection.types import Company, Direction
from crm_contact_guard.policy.thresholds import Thresholds
from crm_contact_guard.policy.versions.current import company_now


@dataclass
class Calibration:
    """The proposals, and counts of the messages, conversations and closed alerts that were read."""

    messages: int = 0
    conversations: int = 0
    true: int = 0
    false: int = 0
    proposals: list[Proposal] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    #: Whether the record has more identifiers than can be counted at once, so that rare ones may be missing.
    forgetful: bool = False
    quiet: list[Phrase] = field(default_factory=list)
    #: What writers answered when they were asked: all answers, and "a mistake of the detector", by rule.
    answers: list[Answered] = field(default_factory=list)


def calibrate(
    *,
    since: datetime | None = None,
    tenant: str | None = None,
    judge: reading.Judge = reading.detector,
    progress: Callable[[int], None] = lambda messages: None,
) -> Calibration:
    """Judge the record and the closed alerts again, and propose settings.

    ``judge`` scores each message; see ``reading``.
    """
    with crm.tenant(tenant or ""):
        company_data = company_now()
    now = thresholds_of(company_data)
    tallies = {
        direction: Tally(grid(*(one.alert for one in now.values())), settings.alert_window) for direction in Direction
    }
    result, learner = Calibration(), Learner()
    conversation = None
    for judged in reading.messages(since=since, tenant=tenant, judge=judge):
        tallies[Direction(judged.message.direction)].add(judged)
        learner.add(judged.message, company_data)
        result.messages += 1
        if judged.message.conversation_id != conversation:
            conversation = judged.message.conversation_id
            result.conversations += 1
        progress(result.messages)
    listener = Listener()
    # False alarms come first, because true alerts are searched only for phrases that are frequent in false alarms.
    for alert in reading.alerts(since=since, tenant=tenant, judge=judge, true=False):
        tallies[alert.direction].judge(alert)
        listener.false(alert)
        result.false += 1
    for alert in reading.alerts(since=since, tenant=tenant, judge=judge, true=True):
        tallies[alert.direction].judge(alert)
        listener.true(alert)
        learner.refuse((message.text or "" for message in alert.evidence), company_data)
        result.true += 1
    result.proposals = [
        propose(direction, tally, now[direction]) for direction, tally in tallies.items() if tally.messages.total
    ]
    result.contacts, result.forgetful = learner.contacts(), learner.forgetful
    result.quiet = listener.phrases()
    result.answers = answered(since=since, tenant=tenant)
    return result


def thresholds_of(own: Company) -> dict[Direction, Thresholds]:
    """Return the current thresholds, by direction."""
    alert, noticed = own.threshold_by_direction or {}, own.noticed_by_direction or {}
    return {direction: Thresholds(alert[direction], noticed[direction]) for direction in Direction}
