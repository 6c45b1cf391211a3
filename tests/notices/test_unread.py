"""One notice in the app for each conversation that becomes unread, not in its employee's free time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from crm_contact_guard import gateway, tasks
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.notices import listing
from crm_contact_guard.notices.models import Notice
from crm_contact_guard.policy import hours
from crm_contact_guard.record.models import Conversation, Message
from crm_contact_guard.verification.whole_record import verify
from crm_contact_guard.viewing.conversations import seen
from tests import factories

pytestmark = pytest.mark.django_db


def writes(talk: Conversation) -> Message:
    message = factories.received("Hello?", talk, occurred_at=timezone.now())
    tasks.inspect(str(message.pk))
    return message


def test_a_message_at_work_is_told_once_until_it_is_read() -> None:
    aoi = factories.employee("aoi", hours={"mon-sun": "00:00-24:00"})
    talk = factories.conversation(aoi)
    first = writes(talk)
    writes(talk)
    tasks.inspect(str(first.pk))

    [line] = [one.line for one in listing.listed(aoi, only_unread=True)]
    assert line is not None
    assert line.text == "Hanako Sato has written to you"
    assert not mail.outbox, "only in the app"
    seen(aoi, talk, "conversation")
    assert listing.unread(aoi) == 0

    writes(talk)
    assert listing.unread(aoi) == 1
    answer = gateway.send(actor=aoi, conversation=talk, text="Good evening.").message
    assert answer is not None
    tasks.inspect(str(answer.pk))
    assert listing.unread(aoi) == 0
    assert verify().holds


def test_nobody_is_told_in_their_free_time() -> None:
    aoi = factories.employee("aoi", hours={"mon": ""})
    now = timezone.now().astimezone(hours.zone(aoi))
    tomorrow = (now + timedelta(days=1)).strftime("%a").lower()
    Employee.objects.filter(pk=aoi.pk).update(working_hours={tomorrow: "00:00-24:00"})
    talk, other = factories.conversation(aoi), factories.conversation(aoi, name="Jun Mori")
    writes(talk)
    writes(other)
    assert listing.unread(aoi) == 0
    opening = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    assert list(Notice.objects.values_list("due_at", flat=True)) == [opening, opening]

    seen(aoi, talk, "conversation")
    tasks.sweep()
    assert listing.unread(aoi) == 0
    notice = Notice.objects.get()  # what was read meanwhile is withdrawn
    assert notice.conversation == other
    Notice.objects.update(due_at=timezone.now())
    tasks.notify(str(notice.pk))
    assert listing.unread(aoi) == 1

    never = factories.employee("nobu", hours={"mon": ""})
    writes(factories.conversation(never, name="Rin Abe"))
    assert not Notice.objects.filter(employee=never).exists()
