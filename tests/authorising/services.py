"""Who may call each service that acts for an employee."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from crm_contact_guard import calling, gateway
from crm_contact_guard.conversations.chat_links import chat_link_create, chat_link_revoke
from crm_contact_guard.conversations.identity import customer_identify
from crm_contact_guard.conversations.lifecycle import conversation_start
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exports import subject
from crm_contact_guard.exports.access_log import access_log_export
from crm_contact_guard.exports.streams import stream_open
from crm_contact_guard.notices.preferences import Choice, preference_set
from crm_contact_guard.notices.testing import trial_send
from crm_contact_guard.policy.calendars.entering import calendar_enter, calendar_remove
from crm_contact_guard.policy.known_rules.publishing import rules_publish
from crm_contact_guard.policy.known_rules.questions import question_answer, question_ask
from crm_contact_guard.policy.known_rules.signing import quiz_try, rules_sign
from crm_contact_guard.policy.rulebook import SilentRule, from_settings
from crm_contact_guard.policy.versions.publishing import (
    shadow_start,
    version_approve,
    version_publish,
    version_withdraw,
)
from crm_contact_guard.privacy.erasing import erase_events, erase_messages
from crm_contact_guard.privacy.holds import hold_place, hold_release
from crm_contact_guard.record.access import record_unmask
from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.sending.holds import hold_approve, hold_reject, hold_return
from crm_contact_guard.sending.recalling import recall
from crm_contact_guard.supervision.erase_message import erase_sensitive
from crm_contact_guard.supervision.handling.alike import alerts_close_alike
from crm_contact_guard.supervision.handling.bulk import alerts_close, close_together
from crm_contact_guard.supervision.handling.steps import (
    alert_assign,
    alert_defer,
    alert_escalate,
    alert_release,
    alert_snooze,
    alert_wake,
)
from crm_contact_guard.supervision.quality.precision import rule_silence, rule_unsilence
from crm_contact_guard.supervision.quality.reading import sample_read
from crm_contact_guard.supervision.quality.second import second_review_give
from crm_contact_guard.supervision.queue_views.keeping import queue_view_change, queue_view_keep, queue_view_remove
from crm_contact_guard.supervision.rehearsing.trials import trial_cancel, trial_start
from crm_contact_guard.supervision.review import alert_claim, alert_close, alert_reopen, alert_undo
from crm_contact_guard.supervision.standing_in.entering import absence_end, absence_enter
from crm_contact_guard.supervision.watching.closing import reading_close
from crm_contact_guard.supervision.watching.unmasking import unmask_approve, unmask_ask, unmask_refuse
from crm_contact_guard.tokens.issuing import token_create, token_revoke
from tests.authorising.scene import HEADS, IN_A_MONTH, PEOPLE, Scene
from tests.conversations import test_desk as desk
from tests.exports import authorised as exporting
from tests.supervision.cases import authorised
from tests.supervision.consulting import authorised as helping


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
    "supervision.handling.bulk.close_together": (
        lambda s, who: close_together(
            seen={s.alert.pk: s.alert.updated_at}, reviewer=who, resolution="no_action", comment=""
        ),
        HEADS,
    ),
    "supervision.handling.alike.alerts_close_alike": (
        lambda s, who: alerts_close_alike(
            alert_id=s.alert.pk, reviewer=who, resolution="no_action", as_of=timezone.now()
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
    "supervision.watching.unmasking.unmask_refuse": (
        lambda s, who: unmask_refuse(request_id=s.asked.pk, refused_by=who, reason="Ask her yourself"),
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
    "supervision.handling.bulk.closed_in",
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
