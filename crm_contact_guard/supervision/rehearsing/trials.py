"""Starts, continues and cancels trials of rules on past messages.

A trial goes on in short tasks, so that it never keeps a worker from other work for long. What it has found is stored
after every batch, so that another worker can go on after one that died. A person has one running trial at a time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Final
from uuid import UUID

from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.dispatch import later_at
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.hosting import database
from crm_contact_guard.policy import rulebook
from crm_contact_guard.policy.rulebook import Rulebook
from crm_contact_guard.policy.versions.rights import may_set_policy
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.supervision.rehearsing.models import RuleTrial
from crm_contact_guard.supervision.rehearsing.totals import Rehearsal, rehearsal_of
from crm_contact_guard.supervision.rehearsing.trying import messages_between, rehearse

#: How far back a trial looks.
DAYS: Final = 90
#: How long a worker may take for a batch before it counts as dead.
LEASE: Final = timedelta(minutes=10)
#: How often workers begin with a batch before the trial is given up.
TRIES: Final = 5
#: Number of messages after which what was found is stored.
BATCH: Final = 50
#: Seconds after which a task leaves the rest to the next one.
SLICE: Final = 20.0
_State = RuleTrial.State


@dataclass(frozen=True)
class Course:
    """How far a trial has come. ``total`` is None until the messages have been counted."""

    found: Rehearsal
    total: int | None


@database.atomic()
def trial_start(*, rules: Rulebook, started_by: Employee) -> RuleTrial:
    """Start to try rules on the messages of the last ``DAYS`` days.

    Raise NotPermitted; or InvalidMessage (field ``trial``) while another trial of the person runs.
    """
    _refuse(started_by)
    if RuleTrial.objects.filter(author=started_by, state=_State.RUNNING).exists():
        raise InvalidMessage(_("Your last trial is still running. Wait for its end, or cancel it."), field="trial")
    now = timezone.now()
    trial = RuleTrial.objects.create(
        tenant=started_by.tenant,
        digest=rules.digest,
        text=rules.text,
        since=now - timedelta(days=DAYS),
        until=now,
        author=started_by,
        created_at=now,
    )
    _event(trial, "started", started_by)
    later_at(now, "rehearse", str(trial.pk))
    return trial


@database.atomic()
def trial_cancel(*, trial_id: UUID, cancelled_by: Employee) -> None:
    """Cancel a trial; its worker stops after the present batch. A trial that has ended stays as it is.

    Raise NotPermitted.
    """
    _refuse(cancelled_by)
    trial = RuleTrial.objects.filter(pk=trial_id, tenant=cancelled_by.tenant).first()
    if trial is None:
        raise NotPermitted(_("There is no such trial."))
    _end(trial, Q(), _State.CANCELLED, actor=cancelled_by)


def due() -> list[UUID]:
    """Return the running trials that no worker holds."""
    return list(RuleTrial.objects.filter(_free(timezone.now())).values_list("pk", flat=True))


def course(trial: RuleTrial) -> Course:
    """Return what a trial has found, so far or in the end."""
    if trial.result:
        found = rehearsal_of(json.loads(trial.result))
        return Course(found, found.messages)
    if not trial.progress:
        return Course(Rehearsal(), None)
    data: dict[str, Any] = json.loads(trial.progress)
    return Course(rehearsal_of(data["found"], data), data["total"])


def trial_continue(trial_id: UUID, *, seconds: float = SLICE, batch: int = BATCH) -> None:
    """Try the rules on further messages for some seconds, unless another worker does or the trial has ended.

    Further tasks go on. After ``TRIES`` workers that didn't complete a batch, the trial is given up.
    """
    trial = _claimed(trial_id)
    if trial is None:
        return
    began, so_far = monotonic(), course(trial)
    period: dict[str, Any] = {"tenant": trial.tenant, "since": trial.since, "until": trial.until}
    total = so_far.total if so_far.total is not None else messages_between(**period).count()
    found, rules = so_far.found, rulebook.from_text(trial.text)
    try:
        for _done in rehearse(rules=rules, total=found, batch=batch, **period):
            progress = json.dumps({"found": found.as_data(), "total": total, **found.place()})
            if not _kept(trial, progress=progress, lease_until=timezone.now() + LEASE, tries=0):
                return
            if monotonic() - began >= seconds:
                _kept(trial, lease_until=None)
                later_at(timezone.now(), "rehearse", str(trial.pk))
                return
    except Exception:
        _kept(trial, lease_until=None)  # the sweep lets another worker try
        raise
    result = json.dumps(found.as_data())
    _end(trial, Q(lease_until=trial.lease_until), _State.DONE, more={"result": result})


def _claimed(trial_id: UUID) -> RuleTrial | None:
    """Take a lease on a trial; return None if that isn't possible."""
    now = timezone.now()
    free = RuleTrial.objects.filter(_free(now), pk=trial_id)
    until = now + LEASE
    if free.filter(tries__lt=TRIES).update(lease_until=until, tries=F("tries") + 1):
        return RuleTrial.objects.filter(pk=trial_id, lease_until=until).first()
    tired = free.first()
    if tired is not None:
        _end(tired, _free(now), _State.FAILED)
    return None


def _free(now: datetime) -> Q:
    return Q(state=_State.RUNNING) & (Q(lease_until=None) | Q(lease_until__lt=now))


def _kept(trial: RuleTrial, **changes: Any) -> bool:
    """Change a trial that this worker still holds; return whether it does."""
    held = RuleTrial.objects.filter(pk=trial.pk, state=_State.RUNNING, lease_until=trial.lease_until)
    if not held.update(**changes):
        return False
    for name, value in changes.items():
        setattr(trial, name, value)
    return True


def _end(
    trial: RuleTrial,
    held: Q,
    state: RuleTrial.State,
    *,
    actor: Employee | None = None,
    more: Mapping[str, Any] | None = None,
) -> None:
    """End a running trial and record it, unless it has ended or isn't ``held``."""
    changes = {"state": state, "finished_at": timezone.now(), "progress": "", "lease_until": None, **(more or {})}
    kinds = {_State.DONE: "finished", _State.CANCELLED: "cancelled", _State.FAILED: "failed"}
    with database.atomic():
        if RuleTrial.objects.filter(held, pk=trial.pk, state=_State.RUNNING).update(**changes):
            trial.refresh_from_db()
            _event(trial, kinds[state], actor)


def _refuse(actor: Employee) -> None:
    if not may_set_policy(actor):
        raise NotPermitted(_("Compliance officers decide on the rules."))


def _event(trial: RuleTrial, word: str, actor: Employee | None) -> None:
    record_event(
        kind=f"rule_trial.{word}",
        subject_type="rule_trial",
        subject_id=trial.pk,
        by=actor,
        tenant=trial.tenant,
        row=trial,
    )
