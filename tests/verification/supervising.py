"""Operations of a company's life that concern supervision: held messages, bulk closes, cases, rules, working time."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from crm_contact_guard import gateway
from crm_contact_guard.delivery.models import Wait
from crm_contact_guard.directory.models import Absence, Employee
from crm_contact_guard.exports.bundle_rows import Filters
from crm_contact_guard.exports.jobs import requesting
from crm_contact_guard.policy.calendars.entering import calendar_enter, calendar_remove
from crm_contact_guard.policy.calendars.models import WorkCalendar
from crm_contact_guard.policy.known_rules import questions, signing
from crm_contact_guard.policy.known_rules.models import RulesQuestion, RulesVersion
from crm_contact_guard.policy.rulebook import from_settings
from crm_contact_guard.record import access
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.sending import holds
from crm_contact_guard.supervision.cases import deciding, opening, reminders, transitions, working
from crm_contact_guard.supervision.cases.models import Case, CaseTask, Sort, State
from crm_contact_guard.supervision.cases.outcomes import offered
from crm_contact_guard.supervision.cases.rights import part_of
from crm_contact_guard.supervision.handling import bulk, steps
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.own_view import remarks
from crm_contact_guard.supervision.own_view.models import FlagRemark
from crm_contact_guard.supervision.quality import drawing
from crm_contact_guard.supervision.quality.assigning import second_reviews_reassign
from crm_contact_guard.supervision.quality.models import SampledTalk, SecondReview
from crm_contact_guard.supervision.quality.reading import KINDS, said_in_week, sample_read
from crm_contact_guard.supervision.quality.second import second_review_give
from crm_contact_guard.supervision.queue_views import keeping
from crm_contact_guard.supervision.queue_views.models import QueueView
from crm_contact_guard.supervision.rehearsing import trials
from crm_contact_guard.supervision.rehearsing.models import RuleTrial
from crm_contact_guard.supervision.standing_in import entering, returning
from crm_contact_guard.supervision.watching.closing import reading_close
from crm_contact_guard.supervision.watching.models import UnusualReading
from crm_contact_guard.supervision.watching.noticing import readings_watch
from tests import rules_text


class Supervising:
    """Part of ``operations.Company``, which draws."""

    draw: random.Random
    clerks: list[Employee]

    def _one(self, rows: Any) -> Any:
        raise NotImplementedError

    def _officer(self) -> Employee:
        raise NotImplementedError

    def _head(self) -> Employee:
        return self._one(Employee.objects.filter(role="supervisor"))  # type: ignore[no-any-return]

    # --- held messages

    def message_is_held(self) -> None:
        talk = self._one(Conversation.objects.exclude(employee=None))
        with override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, "RULES": {"attempt": "hold"}}):
            gateway.send(actor=talk.employee, conversation=talk, channel="chat", text="My own LINE is aoi_private.")

    def held_message_is_decided(self) -> None:
        wait = self._one(Wait.objects.filter(state=Wait.State.HELD))
        decide: Callable[..., Wait] = self.draw.choice(
            [
                holds.hold_approve,
                partial(holds.hold_return, remark="Use the company's number."),
                partial(holds.hold_reject, reason="Not like this."),
            ]
        )
        decide(actor=self._officer(), message_id=wait.pk)

    # --- alerts

    def alert_is_moved(self) -> None:
        alert, officer = self._one(Alert.objects.all()), self._officer()
        step = self.draw.choice([steps.alert_release, steps.alert_escalate, steps.alert_defer, steps.alert_wake])
        step(alert_id=alert.pk, reviewer=self.draw.choice([officer, alert.addressee or officer]))

    def alert_is_assigned(self) -> None:
        alert, officer = self._one(Alert.objects.all()), self._officer()
        steps.alert_assign(alert_id=alert.pk, reviewer=officer, to=officer.pk, comment=self.draw.choice(["", "Yours"]))

    def alert_is_snoozed(self) -> None:
        until = self.draw.choice([None, timezone.now() + timedelta(days=3)])
        steps.alert_snooze(alert_id=self._one(Alert.objects.all()).pk, reviewer=self._officer(), until=until)

    def snoozes_end(self) -> None:
        steps.wake_due()

    def queue_view_is_kept(self) -> None:
        officer, draw = self._officer(), self.draw
        name = f"View {draw.randrange(9)}"
        keeping.queue_view_keep(actor=officer, name=name, query="", is_default=draw.random() < 0.5)

    def queue_view_is_changed_or_removed(self) -> None:
        view = self._one(QueueView.objects.all())
        if self.draw.random() < 0.5:
            keeping.queue_view_remove(actor=view.employee, view_id=view.pk)
        else:
            keeping.queue_view_change(
                actor=view.employee, view_id=view.pk, name=view.name, is_default=not view.is_default
            )

    def rules_are_tried(self) -> None:
        trials.trial_start(rules=from_settings(), started_by=self._officer())

    def trial_goes_on_or_is_cancelled(self) -> None:
        trial = self._one(RuleTrial.objects.filter(state=RuleTrial.State.RUNNING))
        if self.draw.random() < 0.2:
            trials.trial_cancel(trial_id=trial.pk, cancelled_by=self._officer())
        else:
            trials.trial_continue(trial.pk, seconds=0, batch=20)

    def somebody_is_away(self) -> None:
        head, day = self._head(), timezone.localdate() + timedelta(days=self.draw.randrange(9))
        colleague = self.draw.choice(self.clerks)
        entering.absence_enter(
            actor=self.draw.choice([head, self._officer()]), person=head.pk, stand_in=colleague.pk, first=day, last=day
        )

    def absence_ends(self) -> None:
        row = self._one(Absence.objects.all())
        entering.absence_end(actor=self.draw.choice([row.person, row.stand_in, self._officer()]), absence_id=row.pk)
        returning.claims_return()

    def alerts_are_closed_together(self) -> None:
        seen = dict(Alert.objects.exclude(status="closed").order_by("-pk").values_list("pk", "updated_at")[:3])
        done = bulk.alerts_close(seen=seen, reviewer=self._officer(), resolution="no_action", comment="One story")
        if self.draw.random() < 0.5:
            bulk.alerts_undo(batch=done.batch, reviewer=self._officer())

    def employee_remarks_on_an_alert(self) -> None:
        alert = self._one(Alert.objects.exclude(concerned=None).filter(status="closed"))
        kind = self.draw.choice(list(FlagRemark.Kind))
        remarks.flag_remark(alert_id=alert.pk, actor=alert.concerned, kind=kind, text="She asked, I declined.")

    def contest_is_answered(self) -> None:
        row = self._one(FlagRemark.objects.filter(kind=FlagRemark.Kind.CONTEST, answered_at=None))
        outcome = self.draw.choice(["kept", "reopened"])
        remarks.contest_answer(remark_id=row.pk, reviewer=self._officer(), outcome=outcome, text="I looked again.")

    # --- quality of review

    def sample_is_drawn(self) -> None:
        today = timezone.localdate()
        first = today - timedelta(days=today.weekday() + 7 * self.draw.randrange(3))
        shares = {"REVIEW_SHARE": self.draw.random(), "SECOND_REVIEW_SHARE": self.draw.random()}
        with override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, **shares}):
            drawing.sample_draw(tenant="", first=first, root=b"secret")

    def sampled_conversation_is_read(self) -> None:
        row = self._one(SampledTalk.objects.filter(verdict=""))
        given: dict[str, Any] = {"verdict": "nothing"}
        said = said_in_week(row).exclude(direction="note").first()
        if said is not None and self.draw.random() < 0.5:
            given = {"verdict": "missed", "message_id": said.pk, "kind": self.draw.choice(KINDS)}
        sample_read(sample_id=row.pk, reader=self._officer(), **given)

    def alert_is_judged_again(self) -> None:
        second_reviews_reassign()
        row = self._one(SecondReview.objects.filter(given_at=None).exclude(reviewer=None))
        second_review_give(review_id=row.pk, reviewer=row.reviewer, resolution=self.draw.choice(drawing.JUDGED))

    def readings_are_watched(self) -> None:
        reader, talk = self._head(), self._one(Conversation.objects.all())
        access.record_view(viewer=reader, conversation=talk, purpose=self.draw.choice(["conversation", "alerts"]))
        readings_watch()

    def unusual_reading_is_closed(self) -> None:
        row = self._one(UnusualReading.objects.filter(state=UnusualReading.State.OPEN))
        resolution = self.draw.choice(["false_positive", "coaching", "case_opened"])
        reading_close(reading_id=row.pk, reviewer=self._officer(), resolution=resolution, comment="Asked")

    # --- cases

    def case_is_opened(self) -> None:
        sort = self.draw.choice(list(Sort))
        opening.case_open(actor=self._officer(), sort=sort, concerned=self.draw.choice(self.clerks))

    def alert_becomes_a_case(self) -> None:
        opening.case_from_alert(alert_id=self._one(Alert.objects.all()).pk, opened_by=self._officer())

    def case_moves_on(self) -> None:
        """Take steps that somebody may take then."""
        key = self._one(Case.objects.exclude(state=State.CLOSED)).pk
        for _ in range(5):
            self._step(Case.objects.get(pk=key))

    def _step(self, case: Case) -> None:
        person = self.draw.choice([self._officer(), self._head(), case.concerned or self._officer()])
        possible = transitions.possible(part_of(person, case), case.sort, case.state)
        if person.pk == case.opened_by_id:
            possible += ["decide", "close"]
        action = self.draw.choice(possible)
        _STEPS[action](self, case=case, case_id=case.pk, actor=person)

    def tasks_of_cases_are_due(self) -> None:
        reminders.remind_due()

    def _note(self, case: Case, **who: Any) -> None:
        working.note_add(text="Seen.", **who)

    def _interview(self, case: Case, **who: Any) -> None:
        working.interview_add(text="He saw it.", occurred_at=timezone.now(), **who)

    def _participant(self, case: Case, **who: Any) -> None:
        part = self.draw.choice(["member", "approver", "lead"])
        working.participant_add(person=self._head(), part=part, **who)

    def _participant_out(self, case: Case, **who: Any) -> None:
        working.participant_remove(person=self._head(), **who)

    def _evidence(self, case: Case, **who: Any) -> None:
        alert = self.draw.choice([None, self._one(Alert.objects.all())])
        talk = alert.conversation if alert is not None else self._one(Conversation.objects.all())
        opening.evidence_add(alert=alert, conversation=talk, **who)

    def _task(self, case: Case, **who: Any) -> None:
        due_at = timezone.now() + timedelta(days=self.draw.choice([-1, 2]))
        working.task_add(title="Ask the guest", assignee=who["actor"], due_at=due_at, **who)

    def _task_done(self, case: Case, **who: Any) -> None:
        working.task_done(task_id=self._one(CaseTask.objects.filter(case=case)).pk, **who)

    def _hearing(self, case: Case, **who: Any) -> None:
        working.hearing_record(text="The guest asked.", occurred_at=timezone.now(), **who)

    def _proposal(self, case: Case, **who: Any) -> None:
        deciding.outcome_propose(outcome=self.draw.choice(offered(case.sort)), reason="It happened.", **who)

    # --- working time

    def working_time_is_entered(self) -> None:
        owner = self.draw.choice([None, *self.clerks])
        row = WorkCalendar.objects.filter(owner=owner, source="page").first()
        version = row.version if row is not None else 0
        kind = self.draw.choice(["closed", "open"] if owner is None else ["leave", "roster", "closed"])
        who: dict[str, Any] = {"actor": self._officer(), "tenant": "", "owner": owner, "kind": kind, "version": version}
        if row is not None and self.draw.random() < 0.3:
            calendar_remove(number=0, **who)
            return
        day = str(timezone.localdate() + timedelta(days=self.draw.randrange(60)))
        given = {"first": day, "last": day, "mon": "09:00-18:00", "start": "10:00", "end": "12:00"}
        calendar_enter(given=given, **who)

    # --- exports

    def export_is_asked_for_and_ends(self) -> None:
        talk = self._one(Conversation.objects.all())
        job = requesting.export_request(actor=self._officer(), purpose="Audit", filters=Filters(conversation=talk.pk))
        if self.draw.random() < 0.5:
            requesting.export_cancel(job_id=job.pk, actor=self._officer())

    # --- the rules that everybody knows

    def new_rules_are_made_known(self) -> None:
        rules_text.publish(self._officer(), quiz=self.draw.choice(["", "Private number?\n- Yes\n* No"]))

    def rules_are_signed(self) -> None:
        clerk, version = self.draw.choice(self.clerks), self._one(RulesVersion.objects.all())
        signing.quiz_try(taken_by=clerk, version=version, chosen={0: self.draw.randrange(2)})
        signing.rules_sign(signed_by=clerk, version=version, digest=version.digest)

    def rules_are_asked_about(self) -> None:
        questions.question_ask(asked_by=self.draw.choice(self.clerks), text="May I?")
        question = self._one(RulesQuestion.objects.all())
        questions.question_answer(answered_by=self._officer(), question=question, text="No.")


def _of(service: Callable[..., Any], **more: Any) -> Callable[..., Any]:
    def step(_self: Supervising, *, case: Case, **who: Any) -> None:
        service(**who, **more)

    return step


_STEPS: dict[str, Callable[..., Any]] = {
    "join": _of(opening.case_join, reason="The lead is away."),
    "participant_add": Supervising._participant,
    "participant_remove": Supervising._participant_out,
    "evidence_add": Supervising._evidence,
    "note": Supervising._note,
    "interview": Supervising._interview,
    "task_add": Supervising._task,
    "task_done": Supervising._task_done,
    "investigate": _of(working.case_investigate),
    "tell": _of(working.case_tell, allegation="You gave your number."),
    "hear": Supervising._hearing,
    "state": _of(working.statement_add, text="The guest asked."),
    "propose": Supervising._proposal,
    "approve": _of(deciding.outcome_approve),
    "send_back": _of(deciding.outcome_send_back, reason="Too early."),
    "decide": _of(deciding.outcome_decide),
    "appeal": _of(deciding.appeal_make, text="I declined."),
    "uphold": _of(deciding.appeal_answer, text="It stays."),
    "revise": _of(deciding.appeal_answer, text="Milder.", outcome="no_action"),
    "close": _of(deciding.case_close),
    "drop": _of(deciding.case_drop, reason="Nothing in it."),
}
