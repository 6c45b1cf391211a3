"""A note of a call: what the customer said in it is the customer's, what the employee did is the employee's."""

from __future__ import annotations

import pytest

from crm_contact_guard import gateway
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.record.models import Conversation, Message
from crm_contact_guard.supervision import inspection
from crm_contact_guard.supervision.models import Alert
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def conversation(clerk: Employee) -> Conversation:
    return factories.conversation(clerk)


def noted(clerk: Employee, conversation: Conversation, text: str) -> Message:
    message = gateway.note(
        actor=clerk, conversation=conversation, kind="call", text=text, occurred_at=factories.office_time()
    )
    inspection.inspect(message)
    return message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("予約変更の電話。お客様より「LINE教えてよ、個人の番号でもいい」と言われたがお断りした。", "LINE教えてよ"),
        (
            "Moved the booking to Friday.\nCustomer said: \"what's your own number? I'll text you tonight\". Declined.",
            "own number",
        ),
    ],
)
def test_what_a_customer_asked_on_the_phone_warns_as_the_customers(
    clerk: Employee, conversation: Conversation, text: str, words: str
) -> None:
    message = noted(clerk, conversation, text)

    [alert] = Alert.objects.all()
    assert (alert.topic, alert.by) == ("off_channel", "customer")
    finding = alert.findings.get()
    assert finding.message == message
    assert words in text[finding.start : finding.end]


@pytest.mark.parametrize(
    "text",
    [
        "お客様より「駐車場の番号を教えて」と言われたのでお伝えした。",
        'Customer asked "can you call the shop\'s number for me?". Did so.',
        "Told the customer that we don't swap private numbers. All fine.",
    ],
)
def test_an_ordinary_note_warns_nobody(clerk: Employee, conversation: Conversation, text: str) -> None:
    noted(clerk, conversation, text)

    assert not Alert.objects.exists()
