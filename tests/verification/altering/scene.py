"""A record with at least one row in every table, made by the app's own services."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from crm_contact_guard import gateway
from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import FileIn, InboundMessage, MediaRef
from crm_contact_guard.conversations import lifecycle
from crm_contact_guard.conversations.chat_links import chat_link_create, chat_link_revoke
from crm_contact_guard.conversations.desk import drafts, presence, shelving
from crm_contact_guard.conversations.senders import customer_of
from crm_contact_guard.delivery import attempts, health
from crm_contact_guard.detection.types import Tier
from crm_contact_guard.directory.models import Customer, Employee
from crm_contact_guard.exports.bundle_rows import Filters
from crm_contact_guard.exports.jobs.repeating import schedule_end, schedule_make
from crm_contact_guard.exports.jobs.requesting import export_refuse, export_request
from crm_contact_guard.figures import keeping
from crm_contact_guard.files import media
from crm_contact_guard.notices import outbox
from crm_contact_guard.notices.preferences import Choice, preference_set
from crm_contact_guard.policy import restriction_notices
from crm_contact_guard.policy.calendars.storing import calendar_store
from crm_contact_guard.policy.closing import answering
from crm_contact_guard.policy.closing.models import AutoAnswer
from crm_contact_guard.policy.known_rules.questions import question_answer, question_ask
from crm_contact_guard.policy.known_rules.signing import quiz_try, rules_sign
from crm_contact_guard.policy.rulebook import from_settings
from crm_contact_guard.policy.versions.publishing import shadow_start, version_publish
from crm_contact_guard.privacy.holds import hold_place, hold_release
from crm_contact_guard.record.access import record_view
from crm_contact_guard.record.models import Conversation, Message
from crm_contact_guard.sealing.models import Witnessing
from crm_contact_guard.sealing.sealer import seal
from crm_contact_guard.search import filling
from crm_contact_guard.sending.recalling import recall
from crm_contact_guard.supervision import inspection
from crm_contact_guard.supervision.alerts import NewFinding, Verdict
from crm_contact_guard.supervision.cases import deciding, opening, reminders, working
from crm_contact_guard.supervision.consulting.consultations import consultation_close, consultation_reply
from crm_contact_guard.supervision.consulting.measures import customer_restrict
from crm_contact_guard.supervision.consulting.opening import consultation_open
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.noticing import notice
from crm_contact_guard.supervision.own_view.remarks import contest_answer, flag_remark
from crm_contact_guard.supervision.quality import drawing
from crm_contact_guard.supervision.quality.reading import sample_read
from crm_contact_guard.supervision.quality.second import second_review_give
from crm_contact_guard.supervision.queue_views.keeping import queue_view_keep
from crm_contact_guard.supervision.rehearsing.trials import trial_cancel, trial_continue, trial_start
from crm_contact_guard.supervision.review import alert_claim, alert_close
from crm_contact_guard.supervision.second_reading import second_reader
from crm_contact_guard.supervision.standing_in.entering import absence_enter
from crm_contact_guard.supervision.watching.closing import reading_close
from crm_contact_guard.supervision.watching.models import UnusualReading
from crm_contact_guard.supervision.watching.noticing import readings_watch
from crm_contact_guard.tokens.creating import create_once
from crm_contact_guard.tokens.issuing import token_create, token_revoke
from tests import factories, rules_text


def play() -> None:
    """Everything that leaves a row, sealed. ``TASKS`` is inline: deliveries fail, inspections and warnings happen."""
    branch, other = factories.team(head="sora", deputy="ken"), factories.team("Spa", head="yuki")
    clerk, colleague = factories.employee("aoi", branch=branch), factories.employee("riku", branch=other)
    chief = Employee.objects.get(email="sora@kaede.example")
    mail = factories.conversation(clerk, channel="email", email="hanako@post.example")
    chat = factories.conversation(clerk, name="Jiro Ito")
    factories.conversation(colleague, name="Saburo Abe", email="saburo@post.example")
    for text in ("Thank you.", "LINE交換しませんか？ID: hanako_22", "電話は090-1234-5678です"):
        _receives(mail, text)
    _sends(clerk, chat)
    answers_automatically()
    knows_the_rules(chief, clerk)
    _notices(Message.objects.filter(direction="inbound").earliest("pk"))
    for number, alert in enumerate(Alert.objects.order_by("pk")[:2]):
        alert_claim(alert_id=alert.pk, reviewer=chief)
        if not number:
            alert_close(alert_id=alert.pk, reviewer=chief, resolution="coaching", comment="Talked it over")
    preference_set(actor=chief, topic="alert", chosen=Choice(cadence="weekly"))
    queue_view_keep(actor=chief, name="Serious", query="severity=3", is_default=True)
    away(chief, clerk)
    consults(mail, clerk, chief)
    remarks(clerk, chief)
    reviews_of_reviews(chief)
    keeping.update_all()
    filling.fill()
    case(chief, clerk)
    desk(chat, mail, clerk)
    link, _token = chat_link_create(conversation=chat, created_by=clerk)
    chat_link_create(conversation=mail, created_by=clerk)
    chat_link_revoke(link=link, revoked_by=clerk)
    token_revoke(token_create(employee=chief, name="warehouse").token.pk)
    token_create(employee=chief, name="reports")
    hold = hold_place(name="Case 12", reason="Court order", placed_by=None, employee=clerk, since=timezone.now())
    hold_release(hold=hold, reason="Settled", released_by=None)
    hold_place(name="Case 13", reason="Court order", placed_by=None, customer=mail.customer)
    plans(clerk, chief)
    reads(chief, Conversation.objects.get(customer__name="Saburo Abe"))
    exports()
    Witnessing.objects.create(alias="auditor", size=3, kept_at=timezone.now(), tried_at=timezone.now())
    seal()
    lifecycle.conversation_open(customer=mail.customer, channel="chat", employee=colleague)
    lifecycle.take_over(lifecycle.conversation_open(customer=_unknown(), channel="email"), clerk)
    seal()
    # One row of each kind that is not sealed yet.
    _receives(mail, "Good night.")


def desk(chat: Conversation, mail: Conversation, clerk: Employee) -> None:
    """A conversation that is done, one that is put aside, a draft, and a look."""
    shelving.conversation_done(conversation=chat, actor=clerk)
    shelving.conversation_snooze(conversation=mail, actor=clerk, until=tomorrow())
    drafts.draft_keep(conversation=mail, actor=clerk, text="Dear Ms Sato,")
    presence.looks(mail, clerk, typing=True)


def away(chief: Employee, clerk: Employee) -> None:
    """An absence that hasn't begun."""
    first = timezone.localdate() + timedelta(days=2)
    absence_enter(actor=chief, person=chief.pk, stand_in=clerk.pk, first=first, last=first)


def reviews_of_reviews(chief: Employee) -> None:
    """A draw of everything: a conversation that is read and one that isn't, and an alert judged a second time."""
    officer = factories.employee("emi", job="compliance")
    shares = {"REVIEW_SHARE": 1, "SECOND_REVIEW_SHARE": 1}
    today = timezone.localdate()
    with override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, **shares}):
        for weeks in (1, 0):
            first = today - timedelta(days=today.weekday() + 7 * weeks)
            draw = drawing.sample_draw(tenant="", first=first, root=b"secret")
    assert draw is not None
    sample_read(sample_id=draw.talks.earliest("pk").pk, reader=officer, verdict="nothing")
    for review in draw.second_reviews.exclude(reviewer=None):
        second_review_give(review_id=review.pk, reviewer=review.reviewer, resolution="false_positive")


def plans(clerk: Employee, chief: Employee) -> None:
    """Calendars entered on the page, versions of the policy, and trials: one of each end, and one that runs."""
    for version, days in enumerate(("2026-07-13", "2026-07-14")):
        calendar_store(
            tenant="", owner=clerk, source="page", calendar={"leave": [[days, days]]}, version=version, author=chief
        )
    calendar_store(tenant="", owner=None, source="page", calendar={"closed": ["2026-12-30"]}, version=0)
    officer = factories.employee("mio", job="compliance")
    version_publish(rules=from_settings(), reason="Yearly review", published_by=officer, valid_from=tomorrow())
    shadow_start(rules=from_settings(), reason="Try them", started_by=officer)
    trial_cancel(trial_id=trial_start(rules=from_settings(), started_by=officer).pk, cancelled_by=officer)
    for seconds in (9, 0):
        trial_continue(trial_start(rules=from_settings(), started_by=officer).pk, seconds=seconds, batch=2)


def reads(chief: Employee, talk: Conversation) -> None:
    """A supervisor reads another team's conversation, which an officer judges."""
    record_view(viewer=chief, conversation=talk, purpose="conversation")
    readings_watch()
    officer = Employee.objects.get(email="mio@kaede.example")
    reading_close(
        reading_id=UnusualReading.objects.get().pk, reviewer=officer, resolution="no_action", comment="He stood in."
    )


def exports() -> None:
    """Exports that wait for approval, one of them refused; repeated ones, one of them ended; one asked for by a key."""
    auditor, officer = factories.employee("rio", job="auditor"), Employee.objects.get(email="mio@kaede.example")
    with override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, "EXPORT_APPROVAL": True}):
        for number in range(2):
            job = export_request(actor=auditor, purpose=f"Audit {number}", filters=Filters(channel="chat"))
    export_refuse(job_id=job.pk, actor=officer, reason="Too wide")
    for period in ("weekly", "monthly"):
        kept = schedule_make(actor=auditor, period=period, purpose="Audit", filters=Filters(channel="chat"))
    schedule_end(schedule_id=kept.pk, actor=auditor)
    create_once(auditor, "exports_create", "key-1", "0" * 64, lambda: job.pk)


def remarks(clerk: Employee, chief: Employee) -> None:
    """What an employee says about the alert that ended in coaching: a contest, answered, and a comment."""
    flag = Alert.objects.get(resolution="coaching")
    contest = flag_remark(alert_id=flag.pk, actor=clerk, kind="contest", text="I declined.")
    contest_answer(remark_id=contest.pk, reviewer=chief, outcome="kept", text="It was said.")
    flag_remark(alert_id=flag.pk, actor=clerk, kind="comment", text="A guest of years.")


def answers_automatically() -> None:
    """Two automatic answers, of somebody who never works."""
    away = factories.employee("nobu", hours={"mon": ""})
    with override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, "AUTO_ANSWER": True}):
        for name in ("Shiro Mori", "Goro Kato"):
            message = factories.received("Hello?", factories.conversation(away, name=name), occurred_at=timezone.now())
            answering.answer(message)  # with real commits, the task has already done so
            inspection.inspect(message)
    assert AutoAnswer.objects.count() == 2


def tomorrow() -> datetime:
    return timezone.now() + timedelta(days=1)


def knows_the_rules(chief: Employee, clerk: Employee) -> None:
    """Two versions, one signed and one not, and two questions, one answered."""
    officer = factories.employee("officer", job="compliance")
    first = rules_text.publish(officer)
    rules_sign(signed_by=clerk, version=first, digest=first.digest)
    second = rules_text.publish(officer, quiz="Private number?\n- Yes\n* No")
    quiz_try(taken_by=clerk, version=second, chosen={0: 1})
    question_answer(answered_by=chief, question=question_ask(asked_by=clerk, text="May I?"), text="No.")
    question_ask(asked_by=clerk, text="Why?")


def _receives(talk: Conversation, text: str) -> None:
    received = gateway.receive(
        InboundMessage(
            channel="email",
            event_id=f"event of {text}",
            from_address="hanako@post.example",
            text=text,
            occurred_at=timezone.now() - timedelta(minutes=1),
            reply_tokens=(talk.reply_token,),
            files=(_file("a.txt"), _file("b.txt")),
        )
    )
    assert received.message is not None
    # As the tasks do after the commit, which some databases' tests never reach.
    inspection.inspect(received.message)
    for key in outbox.due():
        outbox.notice_send(key)
    media.expect(received.message, [MediaRef(ref="photo", name="photo.jpg", content_type="image/jpeg")])


def consults(talk: Conversation, clerk: Employee, chief: Employee) -> None:
    row = consultation_open(
        conversation=talk, actor=clerk, words="She shouts.", messages=[talk.messages.earliest("pk").pk]
    )
    follow_up_at = timezone.now() + timedelta(days=7)
    consultation_reply(consultation_id=row.pk, actor=chief, text="I'll call her.", follow_up_at=follow_up_at)
    for notice_id in outbox.due():
        outbox.notice_send(notice_id)
    ends_at = timezone.now() + timedelta(days=30)
    for kind in ("hide_name", "rate"):
        limit = customer_restrict(
            consultation=row, actor=chief, kind=kind, reason="Insults", ends_at=ends_at, per_day=9
        )
    restriction_notices.restriction_tell(limit.pk)
    consultation_close(consultation_id=row.pk, actor=chief, result="warned")


def _file(name: str) -> FileIn:
    return FileIn(name=name, content_type="text/plain", content=name.encode())


def _sends(clerk: Employee, chat: Conversation) -> None:
    for number in range(2):
        sent = gateway.send(
            actor=clerk,
            conversation=chat,
            text=f"Your room {number} is ready.",
            idempotency_key=f"key {number}",
            occurred_at=factories.office_time(),
        )
        assert sent.message is not None
        inspection.inspect(sent.message)
        if number:
            attempts.deliver(sent.message.pk)
    for hours in (1, 2):
        waiting = gateway.send(
            actor=clerk, conversation=chat, text="See you.", send_at=timezone.now() + timedelta(hours=hours)
        )
        assert waiting.message is not None
        if hours == 1:
            recall(actor=clerk, message_id=waiting.message.pk)
    health.wait_until(registry.channel("chat"))
    health.failed("chat", OSError("gone"))


def _notices(message: Message) -> None:
    finding = NewFinding(
        message=message, kind="contact_request", start=0, end=3, score=0.3, detector="ranker", version="1"
    )
    verdict = Verdict(topic="off_channel", by="customer", stance="ask", at=message, findings=[finding], tier="noticed")
    notice(conversation=message.conversation, verdict=verdict)
    alert = Alert.objects.order_by("pk")[0]
    until = timezone.now() + timedelta(minutes=1)
    second_reader._question(message, Tier.ALERT, by="customer", score=0.7, deadline=until, alert=alert)
    second_reader._question(message, Tier.NOTICED, by="customer", score=0.3, deadline=until)


def case(chief: Employee, clerk: Employee) -> None:
    for sort in ("protection", "conduct"):
        case = opening.case_open(actor=chief, sort=sort, concerned=clerk)
        for talk in Conversation.objects.filter(employee=clerk):
            opening.evidence_add(case_id=case.pk, actor=chief, conversation=talk)
    deputy = Employee.objects.get(email="ken@kaede.example")
    working.participant_add(case_id=case.pk, actor=chief, person=deputy, part="approver")
    for days in (0, 1):
        due = timezone.now() + timedelta(days=days)
        working.task_add(case_id=case.pk, actor=chief, title=f"Ask {days}", assignee=deputy, due_at=due)
    reminders.remind_due()
    working.case_tell(case_id=case.pk, actor=chief, allegation="You gave your number.")
    working.statement_add(case_id=case.pk, actor=clerk, text="The guest asked.")
    working.hearing_record(case_id=case.pk, actor=chief, text="The guest asked.", occurred_at=timezone.now())
    deciding.outcome_propose(case_id=case.pk, actor=chief, outcome="coaching", reason="The first time.")
    deciding.outcome_decide(case_id=case.pk, actor=chief)


def _unknown() -> Customer:
    return customer_of(registry.channel("email"), "stranger@post.example", name="A stranger")
