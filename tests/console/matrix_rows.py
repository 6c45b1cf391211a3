"""The rows that the pages' addresses name, and calls of the pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any

from django.http import HttpResponse
from django.utils import timezone

from crm_contact_guard import gateway
from crm_contact_guard.channels.base import FileIn
from crm_contact_guard.conversations.chat_links import chat_link_create
from crm_contact_guard.conversations.models import ChatLink
from crm_contact_guard.conversations.restrictions.models import Restriction
from crm_contact_guard.conversations.restrictions.restricting import restriction_impose
from crm_contact_guard.files.models import Attachment
from crm_contact_guard.policy.known_rules.questions import question_ask
from crm_contact_guard.policy.rulebook import from_settings
from crm_contact_guard.policy.versions.models import PolicyVersion
from crm_contact_guard.privacy.holds import hold_place
from crm_contact_guard.record.access import record_view
from crm_contact_guard.supervision.cases.opening import case_open
from crm_contact_guard.supervision.cases.working import case_tell
from crm_contact_guard.supervision.consulting.opening import consultation_open
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.own_view.models import FlagRemark
from crm_contact_guard.supervision.quality.models import SampledTalk, SecondReview
from crm_contact_guard.supervision.queue_views.keeping import queue_view_keep
from crm_contact_guard.supervision.standing_in.entering import absence_enter
from crm_contact_guard.supervision.watching.models import UnusualReading
from crm_contact_guard.supervision.watching.noticing import readings_watch
from crm_contact_guard.supervision.watching.unmasking import unmask_ask
from crm_contact_guard.tokens.issuing import token_create
from tests import factories, rules_text
from tests.console.conftest import Hotel, alert_for, says, url
from tests.console.matrix_table import FORMS, TOMORROW
from tests.exports import authorised
from tests.file_samples import PNG, read_to_end
from tests.supervision.quality.draws import drawn


@dataclass
class Rows:
    """What the addresses name."""

    hotel: Hotel
    alert: Alert
    file: Attachment
    link: ChatLink
    limit: Restriction
    #: Arguments of the address of each page, by its name or by a pattern of names. The first that fits counts.
    named: dict[str, list[Any]]

    def arguments(self, name: str) -> list[Any]:
        return next((given for pattern, given in self.named.items() if fnmatchcase(name, pattern)), [])

    def form(self, name: str) -> dict[str, Any]:
        """What a form of the page sends."""
        people = {name: str(person.pk) for name, person in self.hotel.people.items()}
        forms: dict[str, dict[str, Any]] = {
            "customer_identify": {"customer": str(self.hotel.other.customer_id)},
            "conversation_start": {"id": str(self.hotel.talk.customer_id)},
            # Boss supervises another team: the alert isn't among what matches.
            "alerts_close": {
                "all": "1", "count": "1", "as_of": "9" * 16, "resolution": "no_action", "comment": "A drill",
            },
            "absence_enter": {"person": people["chief"], "stand_in": people["boss"], "first": TOMORROW},
            "alert_assign": {"to": people["compliance"]},
            "consultation_restrict": {
                **FORMS["consultation_restrict"], "ends_on": (timezone.localdate() + timedelta(days=30)).isoformat(),
            },
            "consultation_handover": {"to": f"e-{people['ken']}", "reason": "Pressing"},
            "consultation_lift": {"restriction": str(self.limit.pk), "reason": "Better now"},
            "alert_message_erase": {
                "message": str(self.alert.at_message_id), "reason": "A card number", "confirm": "on",
            },
        }  # fmt: skip
        return forms.get(name, FORMS.get(name, {}))

    def call(self, who: str, method: str, name: str) -> HttpResponse:
        address, browser = url(name, *self.arguments(name)), self.hotel.browser(who)
        response = browser.get(address) if method == "GET" else browser.post(address, self.form(name))
        read_to_end(response)
        return response


def rows_of(hotel: Hotel) -> Rows:
    """Write a row for each address to the database."""
    said = says(
        hotel.talk, "Here is my passport", files=(FileIn(name="passport.png", content_type="image/png", content=PNG),)
    )
    link, _token = chat_link_create(conversation=hotel.talk, created_by=hotel.people["aoi"])
    hold = hold_place(
        name="Dispute 6", reason="The court asked", placed_by=hotel.people["compliance"], customer=hotel.talk.customer
    )
    limit = restriction_impose(
        conversation=hotel.talk,
        imposed_by=hotel.people["chief"],
        kind="rate",
        per_day=100,
        reason="Insults",
        ends_at=timezone.now() + timedelta(days=30),
    )
    asked = consultation_open(conversation=hotel.talk, actor=hotel.people["aoi"], words="He shouts.")
    later = timezone.now() + timedelta(hours=1)
    sent = gateway.send(actor=hotel.people["aoi"], conversation=hotel.talk, text="See you.", send_at=later)
    assert sent.message is not None
    alert = alert_for(hotel.talk, said, 0, 4)
    chief = hotel.people["chief"]
    case = case_open(actor=chief, sort="conduct", concerned=hotel.people["aoi"])
    letter = case_tell(case_id=case.pk, actor=chief, allegation="You gave your number.")
    held = factories.held(hotel.talk)
    contest = FlagRemark.objects.create(
        alert=alert, kind="contest", employee=hotel.people["aoi"], made_at=timezone.now()
    )
    rules, tomorrow = from_settings(), timezone.now() + timedelta(days=1)
    version = PolicyVersion.objects.create(
        digest=rules.digest,
        text=rules.text,
        origin="page",
        state="proposed",
        valid_from=tomorrow,
        created_at=timezone.now(),
    )
    view = queue_view_keep(actor=chief, name="Serious", query="severity=3")
    month = timezone.localdate() + timedelta(days=30)
    absence = absence_enter(actor=chief, person=chief.pk, stand_in=hotel.people["ken"].pk, first=month, last=month)
    token = token_create(employee=hotel.people["aoi"], name="reports").token
    published = rules_text.publish(hotel.people["compliance"])
    question = question_ask(asked_by=hotel.people["aoi"], text="May I?")
    export = authorised.exports(hotel.people["auditor"])["waiting"]
    file, trial = Attachment.objects.get(), factories.rule_trial(hotel.people["compliance"])
    record_view(viewer=chief, conversation=hotel.other, purpose="conversation")
    readings_watch()
    unmasking = unmask_ask(conversation=hotel.other, actor=hotel.people["compliance"], reason="She called")
    draw = drawn(tenant="")
    sampled = SampledTalk.objects.create(draw=draw, conversation=hotel.talk)
    elsewhere = factories.conversation(hotel.people["aoi"], name="Emi Abe")
    judged = alert_for(elsewhere, says(elsewhere, "Call me"), 0, 4)
    Alert.objects.filter(pk=judged.pk).update(status="closed", closed_at=timezone.now(), resolution="coaching")
    second = SecondReview.objects.create(draw=draw, alert=judged, reviewer=hotel.people["vice"])
    talk, customer = hotel.talk.pk, hotel.talk.customer_id
    named = {
        "alert": [alert.pk],
        "alert_*": [alert.pk],
        "own_flag": [alert.pk],
        "chat_link_revoke": [talk, link.pk],
        "chat_link_create": [talk],
        "customer_identify": [talk],
        "conversation_start": [],
        "conversation*": [talk],
        "consultation_new": [talk],
        "consultation": [asked.pk],
        "consultation_*": [asked.pk],
        "inbox_news": [],
        "inbox_*": [talk],
        "customer_data_hold_release": [customer, hold.pk],
        "customer_data*": [customer],
        "hold_*": [held.pk],
        "message_recall": [sent.message.pk],
        "message_file": [file.pk],
        "hours_company*": [],
        "hours_*": [hotel.people["aoi"].pk],
        "policy_trial*": [trial.pk],
        "policy_*": [version.pk],
        "export_download": ["no-token"],
        "export_schedule_end": [authorised.schedule().pk],
        "export": [export.pk],
        "export_*": [export.pk],
        "contest_answer": [contest.pk],
        "case": [letter.case_id],
        "case_step": [letter.case_id, "note"],
        "case_letter": [letter.case_id, letter.pk],
        "queue_view_keep": [],
        "queue_view_*": [view.pk],
        "absence_end": [absence.pk],
        "quality_sample*": [sampled.pk],
        "quality_second*": [second.pk],
        "unmask_approve": [unmasking.pk],
        "unmask_refuse": [unmasking.pk],
        "unusual_reading": [UnusualReading.objects.get().pk],
        "api_token_revoke": [token.pk],
        "rules_answer": [question.pk],
        "rules_version": [published.pk],
        "rules_sign": [published.pk],
        "rules_quiz": [published.pk],
    }
    return Rows(hotel, alert, file, link, limit, named)
