"""A small record for calibration: messages that state their own score, and closed alerts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from crm_contact_guard.detection.types import Stance, ThreadMessage, ThreadVerdict, Tier
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.record.models import Conversation, Message
from crm_contact_guard.supervision.alerts import NewFinding, Verdict, alert_raise
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.review import alert_close
from tests import factories

START = factories.office_time()


def judge(thread: Sequence[ThreadMessage]) -> ThreadVerdict:
    """A judge that takes the score from the newest message: "weight 0.62"."""
    said = re.search(r"weight (\d\.\d+)", thread[-1].text)
    return ThreadVerdict(False, None, Stance.NONE, None, float(said[1]) if said else 0.0, (), Tier.NONE)


def message(talk: Conversation, text: str, *, minutes: float = 0, direction: str = "inbound") -> Message:
    return factories.recorded(
        talk,
        text,
        direction=direction,
        occurred_at=START + timedelta(minutes=minutes),
        employee_id=None if direction == "inbound" else talk.employee_id,
    )


def talk(employee: Employee, name: str = "Hanako Sato", *, last: datetime | None = None) -> Conversation:
    made = factories.conversation(employee, name=name)
    made.last_message_at = last or START
    made.save()
    return made


def closed(about: Message, resolution: str, reviewer: Employee, **more: Any) -> Alert:
    """An alert on the message, closed by a supervisor."""
    finding = NewFinding(message=about, kind="contact_request", start=0, end=4, score=0.6, detector="test", version="1")
    by = "customer" if about.direction == "inbound" else "employee"
    verdict = Verdict(topic="off_channel", by=by, stance="ask", at=about, findings=[finding], **more)
    alert = alert_raise(conversation=about.conversation, verdict=verdict, notify=False)
    assert alert is not None
    return alert_close(alert_id=alert.pk, reviewer=reviewer, resolution=resolution)
