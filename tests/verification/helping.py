"""Operations of a company's life that help employees: consultations and limits on customers."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from django.utils import timezone

from crm_contact_guard.conversations.desk import shelving
from crm_contact_guard.conversations.desk.handing_over import conversation_hand_over
from crm_contact_guard.conversations.restrictions.restricting import (
    conversation_reassign,
    restriction_impose,
    restriction_lift,
)
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.notices import outbox
from crm_contact_guard.policy import restriction_notices
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.supervision.consulting.consultations import consultation_close, consultation_reply
from crm_contact_guard.supervision.consulting.opening import consultation_open


class Helping:
    """Part of ``operations.Company``, which draws."""

    draw: random.Random
    clerks: list[Employee]

    def _one(self, rows: Any) -> Any:
        raise NotImplementedError

    def _officer(self) -> Employee:
        raise NotImplementedError

    def help_is_asked_for_and_given(self) -> None:
        talk = self._one(Conversation.objects.exclude(employee=None))
        row = consultation_open(conversation=talk, actor=talk.employee, words="She shouts.")
        if self.draw.random() < 0.5:
            consultation_reply(consultation_id=row.pk, actor=self._officer(), text="We'll speak to her.")
        if self.draw.random() < 0.5:
            consultation_close(consultation_id=row.pk, actor=self._officer(), result="advised")
        for notice_id in outbox.due():
            outbox.notice_send(notice_id)

    def desk_is_worked_at(self) -> None:
        talk = self._one(Conversation.objects.exclude(employee=None))
        until = timezone.now() + timedelta(seconds=self.draw.choice([2, 3600]))
        act = self.draw.choice(
            [
                lambda: shelving.conversation_done(conversation=talk, actor=talk.employee),
                lambda: shelving.conversation_undone(conversation=talk, actor=talk.employee),
                lambda: shelving.conversation_snooze(conversation=talk, actor=talk.employee, until=until),
                lambda: shelving.conversation_wake(conversation=talk, actor=talk.employee),
                lambda: conversation_hand_over(
                    conversation=talk, actor=talk.employee, to=self.draw.choice(self.clerks)
                ),
            ]
        )
        act()

    def contact_is_limited_and_handed_over(self) -> None:
        talk, officer = self._one(Conversation.objects.all()), self._officer()
        kind = self.draw.choice(["hide_name", "rate", "block"])
        limit = restriction_impose(
            conversation=talk,
            imposed_by=officer,
            kind=kind,
            per_day=3,
            reason="Insults",
            ends_at=timezone.now() + timedelta(days=3),
        )
        if self.draw.random() < 0.5:
            restriction_notices.restriction_tell(limit.pk)
        if self.draw.random() < 0.5:
            restriction_lift(restriction_id=limit.pk, lifted_by=officer, reason="Better")
        if self.draw.random() < 0.3:
            to = self.draw.choice(self.clerks)
            conversation_reassign(conversation=talk, reassigned_by=officer, reason="Pressing", employee=to)
