"""Rows that services act on, and the people who call the services."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from crm_contact_guard import gateway
from crm_contact_guard.conversations.chat_links import chat_link_create
from crm_contact_guard.conversations.lifecycle import conversation_open
from crm_contact_guard.conversations.models import ChatLink
from crm_contact_guard.conversations.restrictions.models import Restriction
from crm_contact_guard.conversations.restrictions.restricting import (
    restriction_impose,
)
from crm_contact_guard.directory.models import Absence, Customer, Employee
from crm_contact_guard.exports.jobs.models import ExportJob
from crm_contact_guard.policy.calendars.storing import calendar_store
from crm_contact_guard.policy.known_rules.models import RulesQuestion, RulesVersion
from crm_contact_guard.policy.known_rules.questions import question_ask
from crm_contact_guard.policy.rulebook import SilentRule, from_settings
from crm_contact_guard.policy.versions.models import PolicyVersion
from crm_contact_guard.privacy.holds import hold_place
from crm_contact_guard.privacy.models import LegalHold
from crm_contact_guard.record.access import record_view
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.supervision.alerts import NewFinding, Verdict, alert_raise
from crm_contact_guard.supervision.cases.models import Case
from crm_contact_guard.supervision.consulting.models import Consultation
from crm_contact_guard.supervision.consulting.opening import consultation_open
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.own_view.models import FlagRemark
from crm_contact_guard.supervision.own_view.remarks import flag_remark
from crm_contact_guard.supervision.quality.models import SampledTalk, SecondReview
from crm_contact_guard.supervision.queue_views.keeping import queue_view_keep
from crm_contact_guard.supervision.queue_views.models import QueueView
from crm_contact_guard.supervision.rehearsing.models import RuleTrial
from crm_contact_guard.supervision.standing_in.entering import absence_enter
from crm_contact_guard.supervision.watching.models import UnusualReading
from crm_contact_guard.supervision.watching.noticing import readings_watch
from crm_contact_guard.supervision.watching.unmasking import unmask_ask
from crm_contact_guard.tokens.issuing import token_create
from tests import factories, rules_text
from tests.exports import authorised as exporting
from tests.supervision.cases import authorised
from tests.supervision.quality.draws import drawn

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


def staged() -> Scene:
    """Write the rows to the database."""
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
