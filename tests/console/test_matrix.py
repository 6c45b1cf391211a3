"""Who may do what on the pages: every role on every address, with rows of a talk that is Aoi's."""

from __future__ import annotations

from itertools import product
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from crm_contact_guard import urls as app_urls
from crm_contact_guard.console import urls
from crm_contact_guard.console.customer.chat_entry import COOKIE
from crm_contact_guard.conversations.models import ChatLink
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.supervision.models import Alert
<<<<<<< HEAD
from tests.console.conftest import Hotel, url
from tests.console.matrix_rows import Rows, rows_of
from tests.console.matrix_table import FORMS, PEOPLE, PUBLIC, TABLE
from tests.file_samples import read_to_end
=======
from crm_contact_guard.supervision.own_view.models import FlagRemark
from crm_contact_guard.supervision.quality.models import SampledTalk, SecondReview
from crm_contact_guard.supervision.queue_views.keeping import queue_view_keep
from crm_contact_guard.supervision.queue_views.models import QueueView
from crm_contact_guard.supervision.rehearsing.models import RuleTrial
from crm_contact_guard.supervision.standing_in.entering import absence_enter
from crm_contact_guard.supervision.watching.models import UnusualReading
from crm_contact_guard.supervision.watching.noticing import readings_watch
from crm_contact_guard.supervision.watching.unmasking import unmask_ask
from crm_contact_guard.tokens.issuing import token_create
from crm_contact_guard.tokens.models import ApiToken
from tests import factories, rules_text
from tests.console.conftest import Hotel, alert_for, says, url
from tests.exports import authorised
from tests.file_samples import PNG, read_to_end
from tests.supervision.quality.draws import drawn

# Aoi answers the talk, Ken is her colleague, Ren of another team; chief supervises her, vice deputises, boss supervises
# Ren. A visitor has a login and no part; nobody is not signed in.
PEOPLE = ("aoi", "ken", "ren", "chief", "vice", "boss", "compliance", "auditor", "visitor", "nobody")

TOMORROW = (timezone.now() + timedelta(days=1)).date().isoformat()
FORMS: dict[str, dict[str, Any]] = {
    "alert_close": {"resolution": "no_action", "comment": "Talked."},
    "alert_snooze": {"until": "again"},
    "exports": {"purpose": "Audit", "profile": "masked"},
    "export_refuse": {"reason": "Too wide"},
    "queue_view_keep": {"view_name": "Night", "view": "topic=after_hours"},
    "queue_view_change": {"view_name": "Very serious"},
    "api_tokens": {"name": "reports", "days": "30"},
    "alert_reopen": {"reason": "Another look"},
    "conversation_send": {"text": "Your room is ready.", "channel": "chat"},
    "conversation_send_preview": {"text": "Your room is ready."},
    "conversation_unmask": {"reason": "She asked to be called."},
    "unusual_reading": {"resolution": "no_action", "comment": "A drill"},
    "conversation_note": {
        "note-kind": "call",
        "note-occurred_at": "2026-03-02T10:00",
        "note-text": "Asked for a late checkout.",
    },
    "consultation_new": {"wish": "advice", "words": "He shouts."},
    "contest_answer": {"outcome": "kept", "text": "It was said."},
    "consultation_reply": {"text": "Thank you."},
    "consultation_close": {"result": "settled"},
    "consultation_restrict": {"kind": "hide_name", "reason": "Insults"},
    "consultation_outside": {"step": "police_referral", "reason": "A threat"},
    "hours_enter": {"kind": "leave", "first": TOMORROW, "version": "0"},
    "hours_remove": {"kind": "leave", "number": "0", "version": "1"},
    "hours_company_enter": {"kind": "closed", "first": TOMORROW, "version": "0"},
    "hours_company_remove": {"kind": "closed", "number": "0", "version": "1"},
    "case_step": {"text": "Ask the desk"},
    "rules_sign": {"digest": rules_text.DIGEST},
    "rules_quiz": {"q0": "1"},
    "rules_ask": {"question": "May I give a lift?"},
    "rules_answer": {"answer": "No."},
    "rules_publish": {"title": "Rules", "text": "Be kind."},
    "customer_data_erase": {"erase-reason": "Asked for it", "erase-confirm": "on"},
    "customer_data_hold_place": {"hold-name": "Dispute 7", "hold-reason": "The court asked"},
    "policy_withdraw": {"reason": "Too soon"},
    "quality_sample_read": {"verdict": "nothing"},
    "quality_second_give": {"resolution": "coaching"},
    "customer_data_hold_release": {"release-reason": "Settled"},
}
TABLE = {
    ("GET", "dashboard"): "302 302 302 200 200 200 200 200 403 302",
    ("GET", "alerts"): "403 403 403 200 200 200 200 200 403 302",
    ("GET", "alerts_news"): "403 403 403 200 200 200 200 200 403 302",
    ("GET", "alert"): "404 404 404 200 200 404 200 200 403 302",
    ("POST", "alert_claim"): "404 404 404 302 302 404 302 403 403 302",
    ("POST", "alert_release"): "404 404 404 302 302 404 302 403 403 302",
    ("POST", "alert_escalate"): "404 404 404 302 302 404 302 403 403 302",
    ("POST", "alert_assign"): "404 404 404 302 302 404 302 403 403 302",
    ("POST", "alert_snooze"): "404 404 404 302 302 404 302 403 403 302",
    ("POST", "alert_defer"): "404 404 404 302 302 404 302 403 403 302",
    ("POST", "alert_wake"): "404 404 404 302 302 404 302 403 403 302",
    ("POST", "alert_close"): "404 404 404 302 302 404 302 403 403 302",
    ("POST", "alert_reopen"): "404 404 404 302 302 404 302 403 403 302",
    ("POST", "alert_undo"): "404 404 404 302 302 404 302 403 403 302",
    ("POST", "alerts_close"): "403 403 403 200 200 422 200 403 403 302",
    ("POST", "alerts_undo"): "403 403 403 302 302 302 302 403 403 302",
    # The view is chief's.
    ("POST", "queue_view_keep"): "403 403 403 302 302 302 302 302 403 302",
    ("POST", "queue_view_change"): "404 404 404 302 404 404 404 404 403 302",
    ("POST", "queue_view_remove"): "404 404 404 302 404 404 404 404 403 302",
    ("POST", "alert_message_erase"): "404 404 404 302 302 404 302 403 403 302",
    # The customer waits for an answer from Aoi.
    ("POST", "conversation_start"): "302 403 403 403 403 403 403 403 403 302",
    ("GET", "conversation"): "200 404 404 200 200 404 200 200 403 302",
    ("GET", "conversation_news"): "200 404 404 200 200 404 200 200 403 302",
    ("POST", "conversation_send_preview"): "200 404 404 403 403 404 403 403 403 302",
    ("POST", "conversation_send"): "302 404 404 403 403 404 403 403 403 302",
    ("GET", "customer_identify"): "403 404 404 403 403 404 403 403 403 302",
    ("POST", "customer_identify"): "403 404 404 403 403 404 403 403 403 302",
    ("POST", "conversation_unmask"): "403 404 404 403 403 404 200 403 403 302",
    ("POST", "conversation_draft"): "204 404 404 403 403 404 403 403 403 302",
    ("POST", "conversation_note"): "302 404 404 403 403 404 403 403 403 302",
    ("POST", "conversation_call"): "422 404 404 403 403 404 403 403 403 302",
    ("POST", "chat_link_create"): "200 404 404 403 403 404 403 403 403 302",
    ("POST", "chat_link_revoke"): "302 404 404 403 403 404 403 403 403 302",
    ("GET", "consultations"): "200 200 200 200 200 200 200 403 403 302",
    ("GET", "consultation_new"): "200 404 404 200 200 404 200 403 403 302",
    ("POST", "consultation_new"): "302 404 404 302 302 404 302 403 403 302",
    ("GET", "consultation"): "200 404 404 200 200 404 200 404 403 302",
    ("POST", "consultation_reply"): "302 404 404 302 302 404 302 404 403 302",
    ("POST", "consultation_close"): "302 404 404 302 302 404 302 404 403 302",
    ("GET", "holds"): "403 403 403 200 200 200 200 200 403 302",
    # Without words, whoever may decide is asked for some.
    ("POST", "hold_return"): "403 403 403 422 422 403 422 403 403 302",
    ("POST", "hold_reject"): "403 403 403 422 422 403 422 403 403 302",
    ("POST", "hold_approve"): "403 403 403 302 302 403 302 403 403 302",
    ("POST", "message_recall"): "302 404 404 403 403 404 403 403 403 302",
    ("GET", "api_tokens"): "200 200 200 200 200 200 200 200 403 302",
    # Without a choice of scopes, none is made. The token to revoke is Aoi's.
    ("POST", "api_tokens"): "422 422 422 422 422 422 422 422 403 302",
    ("POST", "api_token_revoke"): "302 404 404 404 404 404 302 404 403 302",
    ("GET", "notices"): "200 200 200 200 200 200 200 200 403 302",
    ("GET", "notices_news"): "200 200 200 200 200 200 200 200 403 302",
    ("POST", "notices_read"): "302 302 302 302 302 302 302 302 403 302",
    ("GET", "notice_settings"): "200 200 200 200 200 200 200 200 403 302",
    ("POST", "notice_settings"): "302 302 302 302 302 302 302 302 403 302",
    ("POST", "notice_test"): "302 302 302 302 302 302 302 302 403 302",
    ("GET", "own_record"): "200 200 200 200 200 200 200 200 403 302",
    ("GET", "own_flag"): "404 404 404 404 404 404 404 404 403 302",
    ("POST", "own_flag"): "404 404 404 404 404 404 404 404 403 302",
    ("POST", "contest_answer"): "404 404 404 302 302 404 302 403 403 302",
    ("POST", "consultation_handover"): "403 404 404 302 302 404 302 404 403 302",
    ("POST", "consultation_restrict"): "403 404 404 302 302 404 302 404 403 302",
    ("POST", "consultation_lift"): "403 404 404 302 302 404 302 404 403 302",
    ("POST", "consultation_outside"): "403 404 404 302 302 404 302 404 403 302",
    ("GET", "hours"): "302 302 302 200 200 200 200 200 403 302",
    ("GET", "hours_employee"): "200 404 404 200 200 404 200 200 403 302",
    ("POST", "hours_enter"): "403 404 404 302 302 404 302 403 403 302",
    ("POST", "hours_remove"): "403 404 404 302 302 404 302 403 403 302",
    ("GET", "hours_company"): "403 403 403 403 403 403 200 403 403 302",
    ("POST", "hours_company_enter"): "403 403 403 403 403 403 302 403 403 302",
    ("POST", "hours_company_remove"): "403 403 403 403 403 403 302 403 403 302",
    # Chief's absence, in which Ken stands in.
    ("GET", "absences"): "403 200 403 200 200 200 200 200 403 302",
    ("POST", "absence_enter"): "403 403 403 302 403 403 302 403 403 302",
    ("POST", "absence_end"): "404 302 404 302 404 404 302 403 403 302",
    ("GET", "figures"): "403 403 403 200 200 200 200 200 403 302",
    # Chief closed the alert, and vice judges it again. A rule that doesn't propose itself isn't made silent.
    ("GET", "quality"): "403 403 403 200 200 200 200 200 403 302",
    ("POST", "quality_rule"): "403 403 403 403 403 403 409 403 403 302",
    ("GET", "quality_sample"): "404 404 404 200 200 404 200 200 403 302",
    ("POST", "quality_sample_read"): "404 404 404 302 302 404 302 403 403 302",
    ("GET", "quality_second"): "404 404 404 404 200 404 404 404 403 302",
    ("POST", "quality_second_give"): "404 404 404 404 302 404 404 404 403 302",
    ("GET", "policy"): "403 403 403 403 403 403 200 200 403 302",
    ("POST", "policy"): "403 403 403 403 403 403 422 403 403 302",
    ("GET", "policy_version"): "403 403 403 403 403 403 200 200 403 302",
    ("POST", "policy_try"): "403 403 403 403 403 403 422 403 403 302",  # another trial runs
    ("GET", "policy_trial"): "403 403 403 403 403 403 200 200 403 302",
    ("GET", "policy_trial_news"): "403 403 403 403 403 403 200 200 403 302",
    ("POST", "policy_trial_cancel"): "403 403 403 403 403 403 302 403 403 302",
    ("POST", "policy_approve"): "403 403 403 403 403 403 302 403 403 302",
    ("POST", "policy_withdraw"): "403 403 403 403 403 403 302 403 403 302",
    ("GET", "exports"): "403 403 403 403 403 403 200 200 403 302",
    ("POST", "exports"): "403 403 403 403 403 403 302 302 403 302",
    ("GET", "exports_count"): "403 403 403 403 403 403 200 200 403 302",
    ("POST", "record_verify"): "403 403 403 403 403 403 302 302 403 302",
    ("GET", "export"): "403 403 403 403 403 403 200 200 403 302",
    ("GET", "export_news"): "403 403 403 403 403 403 200 200 403 302",
    ("GET", "export_download"): "403 403 403 403 403 403 404 404 403 302",
    ("POST", "export_approve"): "403 403 403 403 403 403 302 403 403 302",
    ("POST", "export_refuse"): "403 403 403 403 403 403 409 403 403 302",
    ("POST", "export_cancel"): "403 403 403 403 403 403 302 302 403 302",
    ("GET", "message_file"): "200 404 404 200 200 404 200 200 403 302",
    ("GET", "inbox"): "200 200 200 200 200 200 200 403 403 302",
    ("GET", "inbox_news"): "200 200 200 200 200 200 200 200 403 302",
    ("POST", "inbox_done"): "302 404 404 403 403 404 403 403 403 302",
    ("POST", "inbox_undone"): "302 404 404 403 403 404 403 403 403 302",
    ("POST", "inbox_snooze"): "302 404 404 403 403 404 403 403 403 302",
    ("POST", "inbox_wake"): "302 404 404 403 403 404 403 403 403 302",
    ("POST", "inbox_hand_over"): "302 404 404 403 403 404 403 403 403 302",
    ("GET", "inbox_conversation"): "200 404 404 404 404 404 404 404 403 302",
    # The case is about Aoi, who has been told; chief leads it. She writes no notes.
    ("GET", "cases"): "200 200 200 200 200 200 200 403 403 302",
    ("GET", "case"): "200 404 404 200 404 404 404 404 403 302",
    ("POST", "case_step"): "403 404 404 302 404 404 404 404 403 302",
    ("GET", "case_letter"): "200 404 404 200 404 404 404 404 403 302",
    ("GET", "rules"): "200 200 200 200 200 200 200 200 403 302",
    ("GET", "rules_version"): "200 200 200 200 200 200 200 200 403 302",
    ("POST", "rules_quiz"): "302 302 302 302 302 302 302 403 403 302",
    ("POST", "rules_sign"): "302 302 302 302 302 302 302 403 403 302",
    ("POST", "rules_ask"): "302 302 302 302 302 302 302 403 403 302",
    ("POST", "rules_answer"): "403 404 404 302 302 302 302 404 403 302",
    ("GET", "rules_signatures"): "403 403 403 200 200 200 200 200 403 302",
    ("GET", "rules_publish"): "403 403 403 403 403 403 200 403 403 302",
    ("POST", "rules_publish"): "403 403 403 403 403 403 302 403 403 302",
    ("GET", "search"): "200 200 200 200 200 200 200 200 403 302",
    ("GET", "access_log"): "403 403 403 403 403 403 200 200 403 302",
    # The request is the compliance officer's own, who can't approve it.
    ("POST", "unmask_approve"): "403 403 403 403 403 403 403 403 403 302",
    ("GET", "unusual_readings"): "403 403 403 403 403 403 200 200 403 302",
    # It is about chief.
    ("GET", "unusual_reading"): "403 403 403 403 403 403 200 200 403 302",
    ("POST", "unusual_reading"): "403 403 403 403 403 403 302 403 403 302",
    ("POST", "access_log_export"): "403 403 403 403 403 403 200 200 403 302",
    ("GET", "data_requests"): "403 403 403 403 403 403 200 200 403 302",
    ("GET", "customer_data"): "403 403 403 403 403 403 200 200 403 302",
    ("POST", "customer_data_disclose"): "403 403 403 403 403 403 200 403 403 302",
    ("POST", "customer_data_erase"): "403 403 403 403 403 403 302 403 403 302",
    ("POST", "customer_data_hold_place"): "403 403 403 403 403 403 302 403 403 302",
    ("POST", "customer_data_hold_release"): "403 403 403 403 403 403 302 403 403 302",
}
#: Addresses for anybody: customers and carriers come by what they hold, and the language is nobody's secret.
PUBLIC = {"chat_enter", "chat_page", "chat_news", "chat_file", "carrier_file", "language_set"}


@dataclass
class Rows:
    """What the addresses name."""

    hotel: Hotel
    alert: Alert
    file: Attachment
    link: ChatLink
    hold: Any
    consultation: Consultation
    waiting: Message
    limit: Restriction
    held: Message
    contest: FlagRemark
    letter: CaseLetter
    version: PolicyVersion
    trial: RuleTrial
    sampled: SampledTalk
    second: SecondReview
    export: ExportJob

    def arguments(self, name: str) -> list[Any]:
        talk = self.hotel.talk
        if name in ("alert", "own_flag") or name.startswith("alert_"):
            return [self.alert.pk]
        if name == "chat_link_revoke":
            return [talk.pk, self.link.pk]
        if (name.startswith("consultation_") and name != "consultation_new") or name == "consultation":
            return [self.consultation.pk]
        of_a_talk = name.startswith(("conversation", "consultation_new")) and name != "conversation_start"
        of_the_inbox = name.startswith("inbox_") and name != "inbox_news"
        if of_a_talk or of_the_inbox or name in ("chat_link_create", "customer_identify"):
            return [talk.pk]
        if name == "customer_data_hold_release":
            return [talk.customer_id, self.hold.pk]
        if name.startswith("customer_data"):
            return [talk.customer_id]
        if name.startswith("hold_") or name == "message_recall":
            return [(self.waiting if name == "message_recall" else self.held).pk]
        named = {key: [self.hotel.people["aoi"].pk] for key in ("hours_employee", "hours_enter", "hours_remove")}
        named |= {
            key: [self.version.pk] for key in ("policy_version", "policy_try", "policy_approve", "policy_withdraw")
        }
        named |= {key: [self.trial.pk] for key in ("policy_trial", "policy_trial_news", "policy_trial_cancel")}
        named |= {key: [self.export.pk] for key in ("export", "export_news")}
        named |= {key: [self.export.pk] for key in ("export_approve", "export_refuse", "export_cancel")}
        named |= {"export_download": ["no-token"]}
        rules = [RulesVersion.objects.get(number=1).pk]
        question = [RulesQuestion.objects.get(text="May I?").pk]
        others = {"message_file": [self.file.pk], "rules_answer": question}
        others |= {**named, "contest_answer": [self.contest.pk], "case": [self.letter.case_id]}
        others |= {"case_step": [self.letter.case_id, "note"], "case_letter": [self.letter.case_id, self.letter.pk]}
        view = list(QueueView.objects.filter(query="severity=3").values_list("pk", flat=True)) or [uuid4()]
        others |= {"queue_view_change": view, "queue_view_remove": view}
        others |= {"absence_end": list(Absence.objects.filter(stand_in__name="Ken").values_list("pk", flat=True))}
        others |= {name: [self.sampled.pk] for name in ("quality_sample", "quality_sample_read")}
        others |= {name: [self.second.pk] for name in ("quality_second", "quality_second_give")}
        others |= {"unmask_approve": [Event.objects.get(kind="unmask.asked").pk]}
        others |= {"unusual_reading": [UnusualReading.objects.get().pk]}
        others |= {"api_token_revoke": [ApiToken.objects.get(name="reports").pk]}
        others |= {"rules_version": rules, "rules_sign": rules, "rules_quiz": rules}
        return others.get(name, [])

    def call(self, who: str, method: str, name: str) -> HttpResponse:
        address = url(name, *self.arguments(name))
        form = dict(FORMS.get(name, {}))
        if name == "customer_identify" and method == "POST":
            form = {"customer": str(self.hotel.other.customer_id)}
        if name == "conversation_start":
            form = {"id": str(self.hotel.talk.customer_id)}
        if name == "alerts_close":
            # Boss supervises another team: the alert isn't among what matches.
            form = {"all": "1", "count": "1", "as_of": "9" * 16, "resolution": "no_action", "comment": "A drill"}
        if name == "absence_enter":
            form = {"person": str(self.hotel.people["chief"].pk), "stand_in": str(self.hotel.people["boss"].pk)}
            form |= {"first": TOMORROW}
        if name == "alert_assign":
            form = {"to": str(self.hotel.people["compliance"].pk)}
        if name == "consultation_restrict":
            form["ends_on"] = (timezone.localdate() + timedelta(days=30)).isoformat()
        if name == "consultation_handover":
            form = {"to": f"e-{self.hotel.people['ken'].pk}", "reason": "Pressing"}
        if name == "consultation_lift":
            form = {"restriction": str(self.limit.pk), "reason": "Better now"}
        if name == "alert_message_erase":
            form = {"message": str(self.alert.at_message_id), "reason": "A card number", "confirm": "on"}
        browser = self.hotel.browser(who)
        response = browser.get(address) if method == "GET" else browser.post(address, form)
        read_to_end(response)
        return response
>>>>>>> 5645d1a4 (Search the record for words from two characters on)


@pytest.fixture
def rows(hotel: Hotel) -> Rows:
    return rows_of(hotel)


def names() -> set[str]:
    return {str(pattern.name) for pattern in urls.urlpatterns}


@pytest.mark.parametrize("who", PEOPLE)
def test_each_role_on_each_page(rows: Rows, who: str) -> None:
    found = {(method, name): rows.call(who, method, name).status_code for method, name in TABLE}

    assert found == {key: int(row.split()[PEOPLE.index(who)]) for key, row in TABLE.items()}


def test_the_table_names_every_address() -> None:
    assert names() - PUBLIC == {name for _method, name in TABLE}
    # Who may ask the others is tested beside them: tests/api, tests/intake, tests/monitoring.
    monitoring = {"health/", "health/live/", "health/ready/", "metrics/"}
    elsewhere = {"api/v1/", "webhooks/<str:alias>/", *monitoring}
    assert {str(pattern.pattern) for pattern in app_urls.urlpatterns} == {"", *elsewhere}


def test_no_page_takes_another_method(hotel: Hotel) -> None:
    browser, methods = hotel.browser("compliance"), {"GET", "POST", "PUT", "PATCH", "DELETE"}
    for name in sorted(names() - PUBLIC):
        pattern = str(next(p.pattern for p in urls.urlpatterns if p.name == name))
        address = url(
            name, *[uuid4()] * pattern.count("<uuid:"), *["note"] * (pattern.count("<slug:") + pattern.count("<str:"))
        )
        others = methods - {method for method, page in TABLE if page == name}

        assert {method: browser.generic(method, address).status_code for method in others} == dict.fromkeys(others, 405)


def test_every_post_needs_the_csrf_token(rows: Rows) -> None:
    """Also of somebody who may: nothing changes by a form that another site sends."""
    before = Event.objects.count(), Message.objects.count(), ChatLink.objects.count()
    for method, name in TABLE:
        for who in ("aoi", "compliance"):
            rows.hotel.browser(who).handler.enforce_csrf_checks = True
            if method == "POST":
                assert rows.call(who, method, name).status_code == 403, name

    assert (Event.objects.count(), Message.objects.count(), ChatLink.objects.count()) == before
    rows.alert.refresh_from_db()
    assert rows.alert.status == Alert.Status.OPEN


def test_another_tenants_rows_do_not_exist(rows: Rows) -> None:
    """Not even for those who see all: officer, auditor, and a supervisor of a team by the same name."""
    Employee.objects.filter(role__in=("compliance", "auditor")).update(tenant="elsewhere")
    Employee.objects.filter(pk=rows.hotel.people["chief"].pk).update(tenant="elsewhere")

    for who in ("compliance", "auditor", "chief"):
        for method, name in TABLE:
            if rows.arguments(name) and not name.startswith("queue_view_"):  # their own, wherever they are
                assert rows.call(who, method, name).status_code in (403, 404), (who, method, name)
        for name in ("dashboard", "alerts", "inbox"):
            assert "Hanako" not in rows.hotel.get(who, name).content.decode()


def test_what_anybody_may_ask_for_gives_a_stranger_nothing(rows: Rows) -> None:
    stranger, before = Client(), Message.objects.count()
    arguments = {"chat_enter": ["guessed"], "chat_file": [rows.file.pk], "carrier_file": [str(rows.file.pk)]}
    for name, cookie in product(sorted(PUBLIC), ("", "guessed", str(rows.link.pk))):
        stranger.cookies[COOKIE] = cookie
        for response in (
            stranger.get(url(name, *arguments.get(name, []))),
            stranger.post(url(name, *arguments.get(name, [])), {"text": "x", "form_token": "x"}),
        ):
            body = read_to_end(response)
            assert b"Hanako" not in body, name
            assert b"passport" not in body, name
            assert response.status_code in ({302} if name == "language_set" else {404, 405, 410}), name
    assert Message.objects.count() == before


def test_no_form_leads_to_another_site(rows: Rows) -> None:
    talk = rows.hotel.talk.pk
    forms: list[tuple[str, list[Any], dict[str, Any]]] = [
        ("conversation_start", [], {"id": str(rows.hotel.talk.customer_id)}),
        ("conversation_send", [talk], FORMS["conversation_send"]),
        ("conversation_note", [talk], FORMS["conversation_note"]),
        ("chat_link_revoke", [talk, rows.link.pk], {}),
        ("language_set", [], {"language": "ja"}),
    ]
    elsewhere = ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)")
    for wanted, (name, arguments, form) in product(elsewhere, forms):
        answer = rows.hotel.post("aoi", name, *arguments, data={**form, "back": wanted, "next": wanted})
        assert answer.status_code == 302
        assert "evil" not in answer["Location"]
        assert answer["Location"].startswith("/")
