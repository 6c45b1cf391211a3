"""Who may call each service that helps employees: rows for ``tests/authorising/services.py``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from crm_contact_guard.conversations.restrictions.restricting import (
    conversation_reassign,
    restriction_impose,
    restriction_lift,
)
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.supervision.consulting import measures
from crm_contact_guard.supervision.consulting.consultations import (
    consultation_close,
    consultation_reply,
    consultation_step,
)
from crm_contact_guard.supervision.consulting.opening import consultation_open
from crm_contact_guard.supervision.own_view.remarks import contest_answer, flag_remark

HEADS = {"chief", "vice", "compliance"}
IN_A_MONTH = timezone.now() + timedelta(days=30)

ROWS: dict[str, tuple[Callable[[Any, Employee], object], set[str]]] = {
    "supervision.consulting.opening.consultation_open": (
        lambda s, who: consultation_open(conversation=s.talk, actor=who, words="He shouts."),
        {"aoi", *HEADS},
    ),
    "conversations.restrictions.restricting.restriction_impose": (
        lambda s, who: restriction_impose(
            conversation=s.talk, imposed_by=who, kind="hide_name", reason="Insults", ends_at=IN_A_MONTH
        ),
        HEADS,
    ),
    "conversations.restrictions.restricting.restriction_lift": (
        lambda s, who: restriction_lift(restriction_id=s.limit.pk, lifted_by=who, reason="Better now"),
        HEADS,
    ),
    "conversations.restrictions.restricting.conversation_reassign": (
        lambda s, who: conversation_reassign(
            conversation=s.talk, reassigned_by=who, reason="Pressing", employee=s.people["ken"]
        ),
        HEADS,
    ),
    "supervision.consulting.measures.customer_hand_over": (
        lambda s, who: measures.customer_hand_over(
            consultation=s.consultation, actor=who, reason="Pressing", employee=s.people["ken"]
        ),
        HEADS,
    ),
    "supervision.consulting.measures.customer_restrict": (
        lambda s, who: measures.customer_restrict(
            consultation=s.consultation, actor=who, kind="hide_name", reason="Insults", ends_at=IN_A_MONTH
        ),
        HEADS,
    ),
    "supervision.consulting.measures.customer_release": (
        lambda s, who: measures.customer_release(
            consultation=s.consultation, actor=who, restriction_id=s.limit.pk, reason="Better now"
        ),
        HEADS,
    ),
    "supervision.consulting.measures.outside_help_note": (
        lambda s, who: measures.outside_help_note(
            consultation=s.consultation, actor=who, step="police_referral", reason="A threat"
        ),
        HEADS,
    ),
    "supervision.own_view.remarks.flag_remark": (
        lambda s, who: flag_remark(alert_id=s.closed.pk, actor=who, kind="comment", text="I declined."),
        {"aoi"},
    ),
    "supervision.own_view.remarks.contest_answer": (
        lambda s, who: contest_answer(remark_id=s.contest.pk, reviewer=who, outcome="kept", text="It was said."),
        HEADS,
    ),
    "supervision.consulting.consultations.consultation_reply": (
        lambda s, who: consultation_reply(consultation_id=s.consultation.pk, actor=who, text="Thank you."),
        {"aoi", *HEADS},
    ),
    "supervision.consulting.consultations.consultation_close": (
        lambda s, who: consultation_close(consultation_id=s.consultation.pk, actor=who, result="settled"),
        {"aoi", *HEADS},
    ),
    "supervision.consulting.consultations.consultation_step": (
        lambda s, who: consultation_step(s.consultation, taken_by=who, step="police_referral", data={}),
        HEADS,
    ),
}
