"""A desk's people, and what its record says of messages that wait, automatic answers, alerts, notices and cases."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from typing import Any

from django.utils import timezone

from crm_contact_guard.conversations.chat_links import chat_link_create
from crm_contact_guard.conversations.lifecycle import conversation_open
from crm_contact_guard.delivery.models import Wait
from crm_contact_guard.directory.mirror import employee_for, mirror_teams
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.notices.failures import FAILED
from crm_contact_guard.notices.models import EMAIL, Notice
from crm_contact_guard.policy.closing.models import AutoAnswer
from crm_contact_guard.record.models import AUTO, Event, Message
from crm_contact_guard.supervision.cases.models import CaseEntry, CaseEvidence, CaseTask
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.tokens import issuing as tokens
from tests import factories
from tests.host.models import Branch, User
from tests.services.kills.world import ATTEMPT

NIGHT = 4
#: Retries of a notice that come sooner than this are waited for.
_SOON = timedelta(seconds=150)


def desk(guests: int) -> dict[str, Any]:
    """A supervisor who always works, ``guests`` who chat, and customers of somebody who doesn't work for days.

    That person's supervisor has no email address, so that notices fail.
    """
    always, never = {"mon-sun": "00:00-24:00"}, {f"{timezone.now() + timedelta(days=3):%a}".lower(): "09:00-18:00"}
    User.objects.filter(display_name="Sora").update(hours=always)
    factories.user("mika", job="compliance", hours=always)
    night = Branch.objects.create(title="Night")
    night.head = User.objects.create_user("", "demo", display_name="Rin", job="chief", branch=night, hours=never)
    night.save()
    factories.user("ken", branch=night, hours=never)
    for user in User.objects.all():
        employee_for(user)
    mirror_teams()
    people = {person.name: person for person in Employee.objects.all()}
    aoi, ken, sora = people["Aoi"], people["Ken"], people["Sora"]
    return {
        "chief": str(sora.pk),
        "chief_token": tokens.token_create(employee=sora, name="kills").text,
        "guests": [_chatting(f"Visitor {number}", aoi) for number in range(guests)],
        "night": [_chatting(f"Owl {number}", ken) for number in range(NIGHT)]
        + [_writing(f"owl{number}@mail.example", ken) for number in range(NIGHT)],
    }


def _chatting(name: str, manager: Employee) -> dict[str, str]:
    chat = conversation_open(customer=factories.customer(name, manager=manager), channel="chat")
    return {"id": str(chat.pk), "token": chat_link_create(conversation=chat, created_by=manager)[1]}


def _writing(address: str, manager: Employee) -> dict[str, str]:
    talk = factories.conversation(manager, channel="email", email=address, name=address)
    return {"id": str(talk.pk), "address": address, "reply_token": talk.reply_token}


# --- what is on record


def waits() -> list[dict[str, Any]]:
    """Times in seconds since 1970."""
    return [
        {
            "id": str(wait.message_id),
            "text": wait.message.text,
            "channel": wait.message.channel,
            "reason": wait.reason,
            "state": wait.state,
            "ended_at": wait.ended_at.timestamp() if wait.ended_at else None,
            "decided": wait.decided_by_id is not None,
        }
        for wait in Wait.objects.select_related("message")
    ]


def answers() -> list[dict[str, Any]]:
    return [
        {
            "conversation": str(row.conversation_id),
            "period": row.period,
            "channel": row.message.channel,
            "to": row.message.to_address,
            "state": row.message.delivery.state,
            "attempts": row.message.delivery.attempts,
        }
        for row in AutoAnswer.objects.select_related("message__delivery")
    ]


def supervision() -> dict[str, Any]:
    """Alerts, the attempts they are about, and what was done with them."""
    attempts = Message.objects.filter(direction="inbound", text__contains=ATTEMPT).prefetch_related("findings")
    return {
        "attempts": [
            {
                "conversation": str(row.conversation_id),
                "text": row.text,
                "alerts": sorted({str(finding.alert_id) for finding in row.findings.all() if finding.alert_id}),
            }
            for row in attempts
        ],
        "alerts": [
            {
                "id": str(alert.pk),
                "fingerprint": json.dumps(alert.fingerprint),
                "conversation": str(alert.conversation_id),
                "topic": alert.topic,
                "status": alert.status,
                "times": alert.times,
                "messages": alert.findings.values("message").distinct().count(),
                "events": _events("alert", alert.pk),
                "evidence": CaseEvidence.objects.filter(alert=alert).count(),
            }
            for alert in Alert.objects.all()
        ],
        "notes": [[row.text, _events("case_entry", row.pk)] for row in CaseEntry.objects.filter(kind="note")],
        "tasks": [
            [str(row.pk), row.title, row.done_at is not None, _events("case_task", row.pk)]
            for row in CaseTask.objects.all()
        ],
    }


def _events(subject_type: str, key: object) -> dict[str, int]:
    rows = Event.objects.filter(subject_type=subject_type, subject_id=str(key))
    return dict(Counter(rows.values_list("kind", flat=True)))


def notices() -> list[dict[str, Any]]:
    """All notices but those whose time comes later, such as digests."""
    now = timezone.now()
    told = Counter(Notice.objects.filter(topic=FAILED, state="sent").values_list("subject_id", flat=True))
    return [
        {
            "id": notice.pk,
            "topic": notice.topic,
            "subject": notice.subject_id,
            "way": notice.way,
            "state": notice.state,
            "attempts": notice.attempts,
            "mail": f"<notice-{notice.pk}-{notice.recipient}@contact-guard.invalid>",
            "told": told[str(notice.pk)],
            "events": _events("notice", notice.pk),
        }
        for notice in Notice.objects.all()
        if notice.state != "queued" or notice.due_at is None or notice.due_at < now + _SOON
    ]


def record() -> dict[str, Any]:
    sent = notices()
    waiting = waits()
    return {
        "waits": waiting,
        "waiting": [row for row in waiting if row["state"] in ("waiting", "held")],
        "answers": answers(),
        "automatic": Message.objects.filter(source=AUTO).count(),
        "notices": sent,
        "untold": [row for row in sent if row["state"] in ("queued", "sending")],
        "emails": Notice.objects.filter(way=EMAIL).count(),
        **supervision(),
    }
