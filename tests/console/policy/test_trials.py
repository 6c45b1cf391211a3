"""Trials of rules on past messages: by several workers, after deaths, cancelled, and on the pages."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from crm_contact_guard import tasks
from crm_contact_guard.console.policy.forms import PolicyForm
from crm_contact_guard.detection.types import Company
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.policy import rulebook
from crm_contact_guard.policy.actions import Action
from crm_contact_guard.policy.decision import Override, OverrideCode
from crm_contact_guard.policy.versions.current import in_force
from crm_contact_guard.policy.versions.models import PolicyVersion
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision import inspection
from crm_contact_guard.supervision.rehearsing import trials
from crm_contact_guard.supervision.rehearsing.models import RuleTrial
from crm_contact_guard.supervision.rehearsing.totals import Rehearsal
from crm_contact_guard.supervision.rehearsing.trying import rehearse
from crm_contact_guard.verification.whole_record import verify
from tests import factories
from tests.console.conftest import ASK, Hotel, says

pytestmark = pytest.mark.django_db


def strict() -> rulebook.Rulebook:
    return replace(rulebook.from_settings(), rules={"attempt": Action.BLOCK})


def talked(hotel: Hotel) -> None:
    for text in (ASK, "Your room is ready.", "個人のLINEは aoi_private です。こちらにどうぞ"):
        reason = Override(code=OverrideCode.CUSTOMER_ASKED, text="She asked")
        factories.sent(hotel.talk, text, "chat", override=reason)
        inspection.inspect(says(hotel.talk, text), notify=False)


def test_workers_take_turns_and_find_what_one_would(hotel: Hotel) -> None:
    talked(hotel)
    officer = hotel.people["compliance"]
    trial = trials.trial_start(rules=strict(), started_by=officer)
    whole = Rehearsal()
    list(rehearse(rules=strict(), tenant="", since=trial.since, until=trial.until, total=whole))
    assert whole.before[Action.NUDGE] == whole.after[Action.BLOCK] == 2
    with pytest.raises(InvalidMessage, match="still running"):
        trials.trial_start(rules=strict(), started_by=officer)

    trials.trial_continue(trial.pk, seconds=0, batch=2)
    trial.refresh_from_db()
    assert trials.course(trial).found.messages == 2
    assert trials.course(trial).total == 6
    # A worker died: nobody else goes on before its lease ends.
    RuleTrial.objects.update(lease_until=timezone.now() + trials.LEASE)
    assert not tasks.sweep()["rehearsed"]
    trials.trial_continue(trial.pk)
    assert trials.course(trial).found.messages == 2
    RuleTrial.objects.update(lease_until=timezone.now() - trials.LEASE)
    assert tasks.sweep()["rehearsed"] == 1
    trials.trial_continue(trial.pk, batch=2)
    trials.trial_continue(trial.pk)  # the task may run twice

    trial.refresh_from_db()
    assert (trial.state, trial.progress, trial.lease_until) == ("done", "", None)
    assert json.loads(trial.result) == json.loads(json.dumps(whole.as_data()))
    assert trials.course(trial).found.as_data() == whole.as_data()
    assert Event.objects.filter(kind="rule_trial.finished").count() == 1
    assert verify().holds


def test_a_trial_is_cancelled_between_batches_or_given_up(
    hotel: Hotel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    talked(hotel)
    officer = hotel.people["compliance"]
    trial = trials.trial_start(rules=strict(), started_by=officer)

    def cancelling(rules: Any = None) -> Company:
        hotel.post("compliance", "policy_trial_cancel", trial.pk)
        return Company()

    with monkeypatch.context() as patched:
        # The only place that a batch passes through: somebody cancels during the first one.
        patched.setattr("crm_contact_guard.supervision.rehearsing.trying.company_now", cancelling)
        trials.trial_continue(trial.pk, batch=1)
    trial.refresh_from_db()
    assert (trial.state, trial.result) == ("cancelled", "")
    assert "without a result" in hotel.get("compliance", "policy_trial", trial.pk).content.decode()

    failing = trials.trial_start(rules=strict(), started_by=officer)
    RuleTrial.objects.filter(pk=failing.pk).update(tries=trials.TRIES)
    trials.trial_continue(failing.pk)
    failing.refresh_from_db()
    assert failing.state == "failed"
    assert not trials.due()
    assert verify().holds


def test_rules_are_tried_on_the_page_before_they_are_published(hotel: Hotel) -> None:
    talked(hotel)
    form = {**PolicyForm(in_force("").rules).initial, "rule-attempt": "block", "act": "rehearse"}
    page = hotel.post("compliance", "policy", data=form)
    trial = RuleTrial.objects.get()
    assert page["Location"].endswith(f"/rules/policy/trials/{trial.pk}/")
    running = hotel.get("compliance", "policy_trial", trial.pk).content.decode()
    assert "being counted" in running
    assert "HX-Refresh" not in hotel.get("compliance", "policy_trial_news", trial.pk)

    trials.trial_continue(trial.pk)

    assert hotel.get("compliance", "policy_trial_news", trial.pk)["HX-Refresh"] == "true"
    told = hotel.get("auditor", "policy_trial", trial.pk).content.decode()
    assert "<strong>2</strong> “Ask first” becomes “Don&#x27;t send”" in told
    assert "Hanako Sato" in told
    assert f"?trial={trial.pk}" not in told, "an auditor publishes nothing"
    again = hotel.get("compliance", "policy", query=f"?trial={trial.pk}").content.decode()
    assert "Don&#x27;t send</strong>" in again, "the form starts from the rules that were tried"
    assert hotel.get("compliance", "policy", query="?trial=nothing").status_code == 200

    # A text, judged by both.
    data = {**form, "act": "sample", "sample": ASK, "off_duty": "on"}
    seen = hotel.post("compliance", "policy", data=data).content.decode()
    assert "<td>Ask first</td><td><strong>Don&#x27;t send</strong>" in seen
    assert "The writer is off duty</td>" in seen
    assert seen.count("A supervisor is told") >= 2
    assert not PolicyVersion.objects.filter(origin="page").exists()

    version = hotel.post("compliance", "policy", data={**form, "act": "publish", "reason": "Tried"})
    row = PolicyVersion.objects.get(origin="page")
    assert version["Location"].endswith(f"/{row.pk}/")
    assert hotel.post("compliance", "policy_try", row.pk).status_code == 302
    assert hotel.post("compliance", "policy_try", row.pk).status_code == 422
