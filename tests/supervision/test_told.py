"""Who is told, each once and by the outbox of notices, when somebody else has to take the next step."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from crm_contact_guard.notices import listing, outbox
from crm_contact_guard.notices.models import EMAIL, Notice
from crm_contact_guard.supervision.cases import deciding
from crm_contact_guard.supervision.own_view.models import FlagRemark
from crm_contact_guard.supervision.own_view.remarks import contest_answer, flag_remark
from crm_contact_guard.supervision.review import alert_close
from crm_contact_guard.verification.whole_record import verify
from tests.clock import Clock
from tests.supervision.cases.scene import FIGURES, RULES, alert, scene

pytestmark = pytest.mark.django_db


def mails() -> list[tuple[str, str]]:
    """Send what is due; return to whom, and the topics."""
    mail.outbox.clear()
    for notice in outbox.due():
        outbox.notice_send(notice)
    keys = [(sent.to[0], sent.extra_headers["Message-ID"].split("-")[1]) for sent in mail.outbox]
    return sorted((to.partition("@")[0], Notice.objects.get(pk=key).topic) for to, key in keys)


def unread(person: Any) -> list[str]:
    return listing.unread_topics(person)


def test_the_second_person_is_told_of_a_proposal_and_of_an_objection(settings: Any) -> None:
    settings.CONTACT_GUARD = {
        **settings.CONTACT_GUARD,
        "WORK_RULES": RULES,
        "NOTIFY": {"quiet": False, "cadence": {"alert": "in_app", "alert_serious": "at_once"}},
    }
    people = scene()
    case = people.heard()
    mails()
    approval = "case_approval"

    deciding.outcome_propose(case_id=case.pk, actor=people.officer, outcome="pay_cut", reason="Again.", terms=FIGURES)
    assert mails() == [("chief", approval), ("vice", approval)]
    deciding.outcome_send_back(case_id=case.pk, actor=people.vice, reason="Too harsh?")
    assert unread(people.vice) == []
    deciding.outcome_propose(case_id=case.pk, actor=people.officer, outcome="pay_cut", reason="No.", terms=FIGURES)
    assert mails() == [("chief", approval), ("vice", approval)], "another proposal is another subject"
    deciding.outcome_approve(case_id=case.pk, actor=people.vice)
    assert unread(people.vice) == []
    deciding.outcome_decide(case_id=case.pk, actor=people.chief)
    mails()

    deciding.appeal_make(case_id=case.pk, actor=people.aoi, text="It was a mistake.")
    assert mails() == [("chief", "case_appeal")]
    deciding.appeal_answer(case_id=case.pk, actor=people.chief, text="We looked again.")
    assert "case_appeal" not in unread(people.chief)
    assert verify().faults == []


def test_a_contest_is_told_to_who_can_answer_and_a_failed_mail_is_tried_again(
    settings: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "NOTIFY": {"quiet": False}}
    people = scene()
    raised = alert(people.talk)
    alert_close(alert_id=raised.pk, reviewer=people.officer, resolution="coaching")
    mails()

    def refuse(*_args: Any) -> int:
        raise ConnectionRefusedError("no mail server")

    flag_remark(alert_id=raised.pk, actor=people.aoi, kind="comment", text="A guest of years.")
    flag_remark(alert_id=raised.pk, actor=people.aoi, kind="contest", text="I declined.")
    with monkeypatch.context() as broken:
        broken.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
        assert mails() == []
    queued = Notice.objects.filter(topic="flag_contested", way=EMAIL)
    assert {notice.attempts for notice in queued} == {1}
    assert queued.filter(due_at__gt=timezone.now()).count() == 2
    clock.forward(timedelta(minutes=1))
    assert mails() == [("chief", "flag_contested"), ("officer", "flag_contested")]

    contest_answer(remark_id=FlagRemark.objects.get(kind="contest").pk, reviewer=people.chief, outcome="kept", text="…")
    assert unread(people.chief) == unread(people.officer) == []
    assert verify().faults == []
