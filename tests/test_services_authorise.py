"""Call each service that acts for an employee with every role: forbidden calls are refused and change nothing."""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.test import override_settings
from django.utils import timezone

import crm_contact_guard
from crm_contact_guard import calling, gateway
from crm_contact_guard.conversations.chat_links import chat_link_create, chat_link_revoke
from crm_contact_guard.conversations.identity import customer_identify
from crm_contact_guard.conversations.lifecycle import conversation_open, conversation_start
from crm_contact_guard.conversations.models import ChatLink
from crm_contact_guard.conversations.restrictions.models import Restriction
from crm_contact_guard.conversations.restrictions.restricting import (
    restriction_impose,
)
from crm_contact_guard.directory.models import Absence, Customer, Employee
from crm_contact_guard.exceptions import AlreadyClaimed, InvalidMessage, NotPermitted, NotPossible
from crm_contact_guard.exports import subject
from crm_contact_guard.exports.access_log import access_log_export
from crm_contact_guard.exports.jobs.models import ExportJob
from crm_contact_guard.exports.streams import stream_open
from crm_contact_guard.notices.preferences import Choice, preference_set
from crm_contact_guard.notices.testing import trial_send
from crm_contact_guard.policy.calendars.entering import calendar_enter, calendar_remove
from crm_contact_guard.policy.calendars.storing import calendar_store
from crm_contact_guard.policy.known_rules.models import RulesQuestion, RulesVersion
from crm_contact_guard.policy.known_rules.publishing import rules_publish
from crm_contact_guard.policy.known_rules.questions import question_answer, question_ask
from crm_contact_guard.policy.known_rules.signing import quiz_try, rules_sign
from crm_contact_guard.policy.rulebook import SilentRule, from_settings
from crm_contact_guard.policy.versions import current
from crm_contact_guard.policy.versions.models import PolicyVersion
from crm_contact_guard.policy.versions.publishing import (
    shadow_start,
    version_approve,
    version_publish,
    version_withdraw,
)
from crm_contact_guard.privacy.erasing import erase_events, erase_messages
from crm_contact_guard.privacy.holds import hold_place, hold_release
from crm_contact_guard.privacy.models import LegalHold
from crm_contact_guard.record.access import record_unmask, record_view
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.record.recording import record_event, record_message
from crm_contact_guard.sending.holds import hold_approve, hold_reject, hold_return
from crm_contact_guard.sending.recalling import recall
from crm_contact_guard.supervision.alerts import NewFinding, Verdict, alert_raise
from crm_contact_guard.supervision.cases.models import Case
from crm_contact_guard.supervision.consulting.models import Consultation
from crm_contact_guard.supervision.consulting.opening import consultation_open
from crm_contact_guard.supervision.erase_message import erase_sensitive
from crm_contact_guard.supervision.handling.bulk import alerts_close
from crm_contact_guard.supervision.handling.steps import (
    alert_assign,
    alert_defer,
    alert_escalate,
    alert_release,
    alert_snooze,
    alert_wake,
)
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.own_view.models import FlagRemark
from crm_contact_guard.supervision.own_view.remarks import flag_remark
from crm_contact_guard.supervision.quality.models import SampledTalk, SecondReview
from crm_contact_guard.supervision.quality.precision import rule_silence, rule_unsilence
from crm_contact_guard.supervision.quality.reading import sample_read
from crm_contact_guard.supervision.quality.second import second_review_give
from crm_contact_guard.supervision.queue_views.keeping import queue_view_change, queue_view_keep, queue_view_remove
from crm_contact_guard.supervision.queue_views.models import QueueView
from crm_contact_guard.supervision.rehearsing.models import RuleTrial
from crm_contact_guard.supervision.rehearsing.trials import trial_cancel, trial_start
from crm_contact_guard.supervision.review import alert_claim, alert_close, alert_reopen, alert_undo
from crm_contact_guard.supervision.standing_in.entering import absence_end, absence_enter
from crm_contact_guard.supervision.watching.closing import reading_close
from crm_contact_guard.supervision.watching.models import UnusualReading
from crm_contact_guard.supervision.watching.noticing import readings_watch
from crm_contact_guard.supervision.watching.unmasking import unmask_approve, unmask_ask
from crm_contact_guard.tokens.issuing import token_create, token_revoke
from tests import factories, rules_text
from tests.conversations import test_desk as desk
from tests.exports import authorised as exporting
from tests.supervision.cases import authorised
from tests.supervision.consulting import authorised as helping
from tests.supervision.quality.draws import drawn

pytestmark = pytest.mark.django_db

PACKAGE = Path(crm_contact_guard.__file__).parent
# Aoi answers the conversation. Ken is in her team, Ren in another one. Chief supervises Aoi, vice is the deputy, boss
# supervises Ren. Kai is an inactive compliance officer; Eve is the compliance officer of another tenant.
PEOPLE = ("aoi", "ken", "ren", "chief", "vice", "boss", "compliance", "auditor", "kai", "eve")
HEADS = {"chief", "vice", "compliance"}
#: Rules with one that is silent.
SILENCED = from_settings().with_silent((SilentRule("phone", "1", "ja"),))
IN_A_MONTH = timezone.now() + timedelta(days=30)


@dataclass
class Scene:
    """Rows that the services act on."""

    people: dict[str, Employee]
    talk: Conversation
    #: An unassigned conversation of an unknown sender, in Aoi's team.
    stranger: Conversation
    emma: Customer
    alert: Alert
    set_aside: Alert
    snoozed: Alert
    #: Closed and claimed by chief.
    closed: Alert
    claimed: Alert
    link: ChatLink
    hold: LegalHold
    consultation: Consultation
    cases: dict[str, Case]
    #: A message of Aoi's that waits.
    waiting: Message
    limit: Restriction
    #: Aoi's contest of ``closed``.
    contest: FlagRemark
    #: A proposed version of the rules, in Aoi's tenant.
    version: PolicyVersion
    #: One that Kai started and that runs.
    trial: RuleTrial
    #: One that a supervisor decides on.
    held: Message
    rules: RulesVersion
    #: Chief's.
    view: QueueView
    question: RulesQuestion
    #: Vice's, in which Ren stands in.
    absence: Absence
    sampled: SampledTalk
    #: Of an alert that chief closed as a false alarm, assigned to compliance.
    second: SecondReview
    #: Chief read a conversation of another team.
    reading: UnusualReading
    #: An officer's request to unmask.
    asked: Event
    exports: dict[str, ExportJob]
    #: Aoi's.
    token: UUID
    out: io.StringIO = field(default_factory=io.StringIO)

    @property
    def said(self) -> Message:
        return self.alert.at_message


def raised(talk: Conversation, topic: str, kind: str) -> Alert:
    said = factories.recorded(talk, "4111 1111 1111 1111", occurred_at=timezone.now())
    finding = NewFinding(message=said, kind=kind, start=0, end=19, score=0.9, detector="test", version="1")
    verdict = Verdict(topic=topic, by="customer", stance="ask", at=said, findings=[finding])
    alert = alert_raise(conversation=talk, verdict=verdict)
    assert alert is not None
    return alert


def proposed() -> PolicyVersion:
    rules, now = from_settings(), timezone.now()
    return PolicyVersion.objects.create(
        digest=rules.digest, text=rules.text, origin="page", state="proposed", valid_from=now, created_at=now
    )


@pytest.fixture
def scene() -> Scene:
    desk, hall = factories.team("Front desk", head="chief", deputy="vice"), factories.team("Hall", head="boss")
    people = {name: factories.employee(name, branch=desk) for name in ("aoi", "ken")}
    people["ren"] = factories.employee("ren", branch=hall)
    people |= {name: factories.employee(name, job=name) for name in ("compliance", "auditor")}
    people |= {name: factories.employee(name, job="compliance") for name in ("kai", "eve")}
    Employee.objects.filter(pk=people["kai"].pk).update(active=False)
    Employee.objects.filter(pk=people["eve"].pk).update(tenant="elsewhere")
    people = {person.name.lower(): person for person in Employee.objects.all()}
    talk = factories.conversation(people["aoi"])
    unknown = Customer.objects.create(name="Unknown")
    record_event(
        kind="override.other",
        subject_type="conversation",
        subject_id=talk.pk,
        actor_type=Event.ActorType.EMPLOYEE,
        conversation=talk,
        reason="He asked me to",
    )
    set_aside = raised(talk, "off_channel", "contact_request")
    Alert.objects.filter(pk=set_aside.pk).update(status="closed", resolution="noticed")
    others = [raised(talk, topic, "harassment") for topic in ("after_hours", "harassment", "scan_failure")]
    snoozed, closed, claimed = (alert.pk for alert in others)
    chief, now = people["chief"], timezone.now()
    Alert.objects.filter(pk=snoozed).update(status="snoozed")
    Alert.objects.filter(pk=closed).update(
        status="closed", resolution="coaching", closed_by=chief, closed_at=now, claimed_by=None
    )
    Alert.objects.filter(pk=claimed).update(status="claimed", claimed_by=chief, claimed_at=now)
    an_hour = timezone.now() + timedelta(hours=1)
    waiting = gateway.send(actor=people["aoi"], conversation=talk, text="See you.", send_at=an_hour).message
    assert waiting is not None
    held = factories.held(talk)  # before a version of the rules replaces those of the settings
    calendar_store(
        tenant="", owner=people["ken"], source="page", calendar={"leave": [["2026-07-13", "2026-07-17"]]}, version=0
    )
    rules = rules_text.publish(people["compliance"])
    draw = drawn(tenant="")
    judged = raised(factories.conversation(people["aoi"], name="Jiro Ito"), "off_channel", "contact_request")
    Alert.objects.filter(pk=judged.pk).update(
        status="closed", resolution="false_positive", closed_by=chief, closed_at=now
    )
    PolicyVersion.objects.create(
        digest=SILENCED.digest, text=SILENCED.text, origin="page", state="published", valid_from=now, created_at=now
    )
    record_view(viewer=chief, conversation=factories.conversation(people["ren"], name="Robert King"), purpose="file")
    readings_watch()
    return Scene(
        sampled=SampledTalk.objects.create(draw=draw, conversation=talk),
        second=SecondReview.objects.create(draw=draw, alert=judged, reviewer=people["compliance"]),
        reading=UnusualReading.objects.get(),
        asked=unmask_ask(conversation=talk, actor=factories.employee("mio", job="compliance"), reason="Asked"),
        rules=rules,
        view=queue_view_keep(actor=people["chief"], name="Serious", query="severity=3"),
        question=question_ask(asked_by=people["ren"], text="Why?"),
        absence=absence_enter(
            actor=people["vice"],
            person=people["vice"].pk,
            stand_in=people["ren"].pk,
            first=IN_A_MONTH.date(),
            last=IN_A_MONTH.date(),
        ),
        people=people,
        waiting=waiting,
        held=held,
        talk=talk,
        stranger=conversation_open(customer=unknown, channel="chat", team=talk.team),
        emma=factories.customer("Emma Wright", manager=people["aoi"]),
        alert=raised(talk, "sensitive_data", "sensitive_data"),
        set_aside=set_aside,
        snoozed=others[0],
        closed=others[1],
        claimed=others[2],
        link=chat_link_create(conversation=talk, created_by=people["aoi"])[0],
        version=proposed(),
        trial=factories.rule_trial(people["kai"]),
        hold=hold_place(name="Case", reason="Court", placed_by=None, employee=people["ren"]),
        consultation=consultation_open(conversation=talk, actor=people["aoi"]),
        cases=authorised.cases(people),
        exports=exporting.exports(people["auditor"]),
        token=token_create(employee=people["aoi"], name="reports").token.pk,
        contest=flag_remark(alert_id=closed, actor=people["aoi"], kind="contest", text="I declined."),
        limit=restriction_impose(
            conversation=talk,
            imposed_by=people["chief"],
            kind="rate",
            per_day=9,
            reason="Insults",
            ends_at=IN_A_MONTH,
        ),
    )


def silences(who: Employee) -> object:
    """One of two alerts of the rule was right, which is too few for a floor this high."""
    with override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, "PRECISION_FLOOR": 1.0}):
        return rule_silence(rule=SilentRule("test", "1", ""), since=timezone.now() - timedelta(days=1), accepted_by=who)


Act = Callable[[Scene, Employee], object]
SERVICES: dict[str, tuple[Act, set[str]]] = {
    "gateway.outbound.send": (
        lambda s, who: gateway.send(actor=who, conversation=s.talk, text="Your room is ready."),
        {"aoi"},
    ),
    "gateway.notes.note": (
        lambda s, who: gateway.note(
            actor=who, conversation=s.talk, kind="call", text="Comes late", occurred_at=timezone.now()
        ),
        {"aoi"},
    ),
    # No carrier here makes calls: who may is told that there is no such line.
    "calling.call": (lambda s, who: calling.call(actor=who, conversation=s.talk, channel="phone", key="1"), {"aoi"}),
    "conversations.lifecycle.conversation_start": (
        lambda s, who: conversation_start(actor=who, customer=s.emma, channel="chat"),
        {"aoi", "ken", "chief", "vice"},
    ),
    "conversations.chat_links.chat_link_create": (
        lambda s, who: chat_link_create(conversation=s.talk, created_by=who),
        {"aoi"},
    ),
    "conversations.chat_links.chat_link_revoke": (
        lambda s, who: chat_link_revoke(link=s.link, revoked_by=who),
        {"aoi"},
    ),
    "conversations.identity.customer_identify": (
        lambda s, who: customer_identify(conversation=s.stranger, customer=s.emma, actor=who),
        {"aoi", "ken", *HEADS},
    ),
    "sending.holds.hold_approve": (lambda s, who: hold_approve(actor=who, message_id=s.held.pk), HEADS),
    "sending.holds.hold_return": (
        lambda s, who: hold_return(actor=who, message_id=s.held.pk, remark="Without the number, please"),
        HEADS,
    ),
    "sending.holds.hold_reject": (lambda s, who: hold_reject(actor=who, message_id=s.held.pk, reason="Private"), HEADS),
    "sending.recalling.recall": (lambda s, who: recall(actor=who, message_id=s.waiting.pk), {"aoi"}),
    "notices.testing.trial_send": (
        lambda s, who: trial_send(actor=who, way="email"),
        {"aoi", "ken", "ren", "chief", "vice", "boss", "compliance", "auditor", "eve"},
    ),
    "notices.preferences.preference_set": (
        lambda s, who: preference_set(actor=who, topic="alert", chosen=Choice(cadence="weekly")),
        {"aoi", "ken", "ren", "chief", "vice", "boss", "compliance", "eve"},
    ),
    "supervision.queue_views.keeping.queue_view_keep": (
        lambda s, who: queue_view_keep(actor=who, name="Night", query="severity=3"),
        {"chief", "vice", "boss", "compliance", "auditor", "eve"},
    ),
    "supervision.queue_views.keeping.queue_view_change": (
        lambda s, who: queue_view_change(actor=who, view_id=s.view.pk, name="Night", is_default=True),
        {"chief"},
    ),
    "supervision.queue_views.keeping.queue_view_remove": (
        lambda s, who: queue_view_remove(actor=who, view_id=s.view.pk),
        {"chief"},
    ),
    "supervision.standing_in.entering.absence_enter": (
        lambda s, who: absence_enter(
            actor=who,
            person=s.people["chief"].pk,
            stand_in=s.people["ken"].pk,
            first=IN_A_MONTH.date(),
            last=IN_A_MONTH.date(),
        ),
        {"chief", "compliance"},
    ),
    "supervision.standing_in.entering.absence_end": (
        lambda s, who: absence_end(actor=who, absence_id=s.absence.pk),
        {"vice", "ren", "compliance"},
    ),
    "supervision.quality.reading.sample_read": (
        lambda s, who: sample_read(sample_id=s.sampled.pk, reader=who, verdict="nothing"),
        HEADS,
    ),
    "supervision.quality.second.second_review_give": (
        lambda s, who: second_review_give(review_id=s.second.pk, reviewer=who, resolution="coaching"),
        {"compliance"},
    ),
    "supervision.quality.precision.rule_silence": (
        lambda s, who: silences(who),
        {"compliance", "eve"},
    ),
    "supervision.quality.precision.rule_unsilence": (
        lambda s, who: rule_unsilence(rule=SilentRule("phone", "1", "ja"), accepted_by=who),
        {"compliance", "eve"},
    ),
    "policy.calendars.entering.calendar_enter": (
        lambda s, who: calendar_enter(
            actor=who,
            tenant="",
            owner=s.people["aoi"],
            kind="leave",
            given={"first": timezone.now().date().isoformat()},
            version=0,
        ),
        HEADS,
    ),
    "policy.calendars.entering.calendar_remove": (
        lambda s, who: calendar_remove(actor=who, tenant="", owner=s.people["ken"], kind="leave", number=0, version=1),
        HEADS,
    ),
    "supervision.review.alert_claim": (lambda s, who: alert_claim(alert_id=s.alert.pk, reviewer=who), HEADS),
    "supervision.review.alert_close": (
        lambda s, who: alert_close(alert_id=s.alert.pk, reviewer=who, resolution="no_action"),
        HEADS,
    ),
    "supervision.review.alert_reopen": (lambda s, who: alert_reopen(alert_id=s.set_aside.pk, reviewer=who), HEADS),
    "supervision.review.alert_undo": (lambda s, who: alert_undo(alert_id=s.closed.pk, reviewer=who), HEADS),
    "supervision.handling.bulk.alerts_close": (
        lambda s, who: alerts_close(
            seen={s.alert.pk: s.alert.updated_at}, reviewer=who, resolution="no_action", comment="A drill"
        ),
        HEADS,
    ),
    "supervision.handling.steps.alert_release": (
        lambda s, who: alert_release(alert_id=s.claimed.pk, reviewer=who),
        HEADS,
    ),
    "supervision.handling.steps.alert_assign": (
        lambda s, who: alert_assign(alert_id=s.alert.pk, reviewer=who, to=s.people["vice"].pk),
        HEADS,
    ),
    "supervision.handling.steps.alert_escalate": (
        lambda s, who: alert_escalate(alert_id=s.alert.pk, reviewer=who),
        HEADS,
    ),
    "supervision.handling.steps.alert_snooze": (
        lambda s, who: alert_snooze(alert_id=s.alert.pk, reviewer=who, until=None),
        HEADS,
    ),
    "supervision.handling.steps.alert_defer": (lambda s, who: alert_defer(alert_id=s.alert.pk, reviewer=who), HEADS),
    "supervision.handling.steps.alert_wake": (lambda s, who: alert_wake(alert_id=s.snoozed.pk, reviewer=who), HEADS),
    "supervision.erase_message.erase_sensitive": (
        lambda s, who: erase_sensitive(alert=s.alert, message_id=s.said.pk, actor=who, reason="A card's number"),
        HEADS,
    ),
    "policy.versions.publishing.version_publish": (
        lambda s, who: version_publish(rules=from_settings(), reason="Yearly review", published_by=who),
        {"compliance", "eve"},
    ),
    "policy.versions.publishing.shadow_start": (
        lambda s, who: shadow_start(rules=from_settings(), reason="Try it", started_by=who),
        {"compliance", "eve"},
    ),
    "policy.versions.publishing.version_approve": (
        lambda s, who: version_approve(version_id=s.version.pk, approved_by=who),
        {"compliance"},
    ),
    "policy.versions.publishing.version_withdraw": (
        lambda s, who: version_withdraw(version_id=s.version.pk, reason="Too soon", withdrawn_by=who),
        {"compliance"},
    ),
    "supervision.rehearsing.trials.trial_start": (
        lambda s, who: trial_start(rules=from_settings(), started_by=who),
        {"compliance", "eve"},
    ),
    "supervision.rehearsing.trials.trial_cancel": (
        lambda s, who: trial_cancel(trial_id=s.trial.pk, cancelled_by=who),
        {"compliance"},
    ),
    "policy.known_rules.publishing.rules_publish": (
        lambda s, who: rules_publish(published_by=who, title="Rules", text="Be kind."),
        # Hers are her own tenant's rules.
        {"compliance", "eve"},
    ),
    "policy.known_rules.signing.rules_sign": (
        lambda s, who: rules_sign(signed_by=who, version=s.rules, digest=s.rules.digest),
        {*PEOPLE} - {"auditor", "kai", "eve"},
    ),
    "policy.known_rules.signing.quiz_try": (
        lambda s, who: quiz_try(taken_by=who, version=s.rules, chosen={}),
        {*PEOPLE} - {"auditor", "kai", "eve"},
    ),
    "policy.known_rules.questions.question_ask": (
        lambda s, who: question_ask(asked_by=who, text="May I?"),
        {*PEOPLE} - {"auditor", "kai"},
    ),
    "policy.known_rules.questions.question_answer": (
        lambda s, who: question_answer(answered_by=who, question=s.question, text="No."),
        {*HEADS, "boss"},
    ),
    "privacy.erasing.erase_messages": (
        lambda s, who: erase_messages(Message.objects.filter(pk=s.said.pk), basis="request", actor=who),
        HEADS,
    ),
    "privacy.erasing.erase_events": (
        lambda s, who: erase_events(Event.objects.filter(conversation=s.talk), basis="request", actor=who),
        HEADS,
    ),
    "privacy.holds.hold_place": (
        lambda s, who: hold_place(name="Case 2", reason="Court", placed_by=who, customer=s.talk.customer),
        {"compliance"},
    ),
    "privacy.holds.hold_release": (
        lambda s, who: hold_release(hold=s.hold, reason="Settled", released_by=who),
        {"compliance"},
    ),
    "exports.subject.disclose": (lambda s, who: subject.disclose(s.talk.customer, s.out, actor=who), {"compliance"}),
    "exports.subject.erase": (
        lambda s, who: subject.erase(s.talk.customer, reason="Asked for it", actor=who),
        {"compliance"},
    ),
    "exports.streams.stream_open": (
        lambda s, who: stream_open(viewer=who, form="jsonl", lookups={}, filters={}, unmask=True, reason="Asked"),
        # Hers are her own tenant's messages: none.
        {"compliance", "eve"},
    ),
    "record.access.record_unmask": (
        lambda s, who: record_unmask(viewer=who, conversation=s.talk, reason="Asked"),
        {"compliance"},
    ),
    "supervision.watching.unmasking.unmask_ask": (
        lambda s, who: unmask_ask(conversation=s.talk, actor=who, reason="Asked"),
        {"compliance"},
    ),
    "supervision.watching.unmasking.unmask_approve": (
        lambda s, who: unmask_approve(request_id=s.asked.pk, approved_by=who),
        {"compliance"},
    ),
    "supervision.watching.closing.reading_close": (
        lambda s, who: reading_close(reading_id=s.reading.pk, reviewer=who, resolution="no_action", comment="A drill"),
        {"compliance"},
    ),
    "exports.access_log.access_log_export": (
        lambda s, who: access_log_export(viewer=who, form="csv", lookups={}, filters={}),
        {"compliance", "auditor", "eve"},
    ),
    **{f"supervision.cases.{name}": row for name, row in authorised.ROWS.items()},
    **helping.ROWS,
    **exporting.ROWS,
    "tokens.issuing.token_create": (
        lambda s, who: token_create(actor=who, employee=who, name="warehouse"),
        {*PEOPLE} - {"kai"},
    ),
    "tokens.issuing.token_revoke": (
        lambda s, who: token_revoke(s.token, actor=who),
        {"aoi", "compliance"},
    ),
}
#: Parts of ``gateway.send`` and of the services about waiting messages, which have asked; the look before it, which
#: records nothing; and what takes back only the caller's own closes, or reads only the caller's own notices.
WITHIN = {
    "notices.listing.notices_read",
    "supervision.handling.bulk.alerts_undo",
    "conversations.desk.drafts.draft_forget",
    "delivery.idempotency.of",
    "delivery.waits.move",
    "sending.recalling.recalled",
    "supervision.choices.record_choice",
    "supervision.choices.record_kept_back",
    "supervision.preview.preview",
    *authorised.WITHIN,
    *desk.SERVICES,
    *exporting.WITHIN,
}


def everything() -> dict[str, list[dict[str, Any]]]:
    """All rows of all our tables."""
    models = apps.get_app_config("crm_contact_guard").get_models()
    return {model.__name__: list(model._base_manager.order_by("pk").values()) for model in models}


@contextmanager
def undone(scene: Scene) -> Iterator[Scene]:
    """A copy of the scene; whatever is done to it or to its rows is forgotten."""
    with transaction.atomic():
        yield deepcopy(scene)
        transaction.set_rollback(True)
    current.forget()


def refuses(act: Act, scene: Scene, person: Employee) -> bool:
    try:
        act(scene, person)
    except NotPermitted:
        return True
    return False


@pytest.mark.parametrize("who", PEOPLE)
def test_services_refuse_forbidden_calls(scene: Scene, who: str) -> None:
    before = everything()
    for name, (act, allowed) in SERVICES.items():
        with undone(scene) as now:
            if who in allowed:
                with suppress(InvalidMessage, AlreadyClaimed, NotPossible):
                    act(now, now.people[who])
                continue
            assert refuses(act, now, now.people[who]), name
            assert everything() == before, name
            assert not now.out.getvalue(), name


def test_permitted_calls_are_recorded(scene: Scene) -> None:
    before = everything()
    # Both need what isn't here, a carrier and a bundle; their own tests ask what they record.
    for name in SERVICES.keys() - {"calling.call", "exports.jobs.handing_out.export_download"}:
        act, allowed = SERVICES[name]
        with undone(scene) as now:
            act(now, now.people[min(allowed & {"aoi", "chief", "compliance"})])

            assert everything() != before, name


def test_supervisors_can_not_process_alerts_about_themselves(scene: Scene) -> None:
    chief = scene.people["chief"]
    Alert.objects.update(concerned=chief)

    for act, _allowed in (SERVICES[name] for name in SERVICES if ".alert_" in name):
        with pytest.raises(NotPermitted):
            act(scene, chief)


def test_supervisors_erase_only_in_their_teams(scene: Scene) -> None:
    theirs = factories.conversation(scene.people["ren"], name="Robert King")
    record_message(conversation=theirs, direction="inbound", channel="chat", occurred_at=timezone.now(), text="Hello")

    with pytest.raises(NotPermitted):
        erase_messages(Message.objects.all(), basis="request", actor=scene.people["chief"])
    assert not Message.objects.filter(text=None).exists()


def test_all_services_that_take_an_employee_are_tested() -> None:
    acting = re.compile(r"actor|reviewer|[a-z]+_by")
    found = set()
    for path in PACKAGE.rglob("*.py"):
        room = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                given = [*node.args.args, *node.args.kwonlyargs]
                people = [one for one in given if one.annotation and "Employee" in ast.unparse(one.annotation)]
                if any(acting.fullmatch(one.arg) for one in people):
                    found.add(f"{room}.{node.name}")

    assert found - SERVICES.keys() == WITHIN
