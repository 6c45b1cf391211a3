"""A dry run over the company's own record: what to set, and what it would have meant. Nothing is changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from crm_contact_guard import crm
from crm_contact_guard.calibration import reading
from crm_contact_guard.calibration.contacts import Contact, Learner
from crm_contact_guard.calibration.proposing import Proposal, propose
from crm_contact_guard.calibration.quiet_words import Listener, Phrase
from crm_contact_guard.calibration.tally import Tally, grid
from crm_contact_guard.conf import settings
from crm_contact_guard.detection.types import Company, Direction
from crm_contact_guard.policy.company import company
from crm_contact_guard.policy.thresholds import Thresholds


@dataclass
class Calibration:
    """What was read, and what is proposed."""

    messages: int = 0
    conversations: int = 0
    true: int = 0
    false: int = 0
    proposals: list[Proposal] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    #: The record held more identifiers than are counted at once: rare ones may be missing.
    forgetful: bool = False
    quiet: list[Phrase] = field(default_factory=list)


def calibrate(
    *,
    since: datetime | None = None,
    tenant: str | None = None,
    judge: reading.Judge = reading.detector,
    progress: Callable[[int], None] = lambda messages: None,
) -> Calibration:
    """Read the record and the closed alerts again. ``judge`` says what each message weighs; see ``reading``."""
    with crm.tenant(tenant or ""):
        known = company()
    now = thresholds_of(known)
    tallies = {
        direction: Tally(grid(*(one.alert for one in now.values())), settings.alert_window) for direction in Direction
    }
    made, learner = Calibration(), Learner()
    conversation = None
    for judged in reading.messages(since=since, tenant=tenant, judge=judge):
        tallies[Direction(judged.message.direction)].add(judged)
        learner.add(judged.message, known)
        made.messages += 1
        if judged.message.conversation_id != conversation:
            conversation = judged.message.conversation_id
            made.conversations += 1
        progress(made.messages)
    listener = Listener()
    # The false ones first: only what is frequent in them is sought in the true ones.
    for alert in reading.alerts(since=since, tenant=tenant, judge=judge, true=False):
        tallies[alert.direction].judge(alert)
        listener.false(alert)
        made.false += 1
    for alert in reading.alerts(since=since, tenant=tenant, judge=judge, true=True):
        tallies[alert.direction].judge(alert)
        listener.true(alert)
        learner.refuse((message.text or "" for message in alert.evidence), known)
        made.true += 1
    made.proposals = [
        propose(direction, tally, now[direction]) for direction, tally in tallies.items() if tally.messages.total
    ]
    made.contacts, made.forgetful = learner.contacts(), learner.forgetful
    made.quiet = listener.phrases()
    return made


def thresholds_of(known: Company) -> dict[Direction, Thresholds]:
    """The thresholds in force, by direction."""
    alert, noticed = known.threshold_by_direction or {}, known.noticed_by_direction or {}
    return {direction: Thresholds(alert[direction], noticed[direction]) for direction in Direction}
