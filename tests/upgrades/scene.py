"""What an installation holds when it is upgraded: rows of all tables that people fill, and a row not sealed yet."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from crm_contact_guard import gateway
from crm_contact_guard.channels.base import InboundMessage
from crm_contact_guard.conversations.chat_links import chat_link_create
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.figures import keeping
from crm_contact_guard.notices.preferences import Choice, preference_set
from crm_contact_guard.privacy.erasing import erase_messages
from crm_contact_guard.privacy.holds import hold_place, hold_release
from crm_contact_guard.record.models import Message
from crm_contact_guard.sealing.sealer import seal
from crm_contact_guard.sending.recalling import recall
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.review import alert_claim, alert_close
from crm_contact_guard.tokens.issuing import token_create
from tests import factories
from tests.verification.altering import scene


def play() -> None:
    """Fill the empty database. Needs ``TASKS = "inline"`` and real commits."""
    branch = factories.team(head="sora", deputy="ken")
    clerk = factories.employee("aoi", branch=branch)
    chief = Employee.objects.get(email="sora@kaede.example")
    mail = factories.conversation(clerk, channel="email", email="hanako@post.example")
    chat = factories.conversation(clerk, name="佐藤 花子")
    chat_link_create(conversation=chat, created_by=clerk)
    when = factories.office_time()
    gateway.send(actor=clerk, conversation=chat, text="お部屋のご用意ができました。", occurred_at=when)
    seal()
    for number, text in enumerate(("Thank you.", "LINE交換しませんか？ID: hanako_22", "電話は090-1234-5678です")):
        gateway.receive(
            InboundMessage(
                channel="email",
                event_id=str(number),
                from_address="hanako@post.example",
                text=text,
                occurred_at=when,
                reply_tokens=(mail.reply_token,),
            )
        )
    for alert in Alert.objects.order_by("id")[:1]:
        alert_claim(alert_id=alert.pk, reviewer=chief)
        alert_close(alert_id=alert.pk, reviewer=chief, resolution="coaching", comment="ご案内済み")
    scene.remarks(clerk, chief)
    preference_set(actor=chief, topic="alert", chosen=Choice(cadence="weekly"))
    scene.desk(chat, mail, clerk)
    scene.consults(mail, clerk, chief)
    scene.reviews_of_reviews(chief)
    keeping.update_all()
    scene.case(chief, clerk)
    scene.knows_the_rules(chief, clerk)
    scene.plans(clerk, chief)
    scene.away(chief, clerk)
    other = factories.employee("riku", branch=factories.team("Spa", head="yuki"))
    scene.reads(chief, factories.conversation(other, name="Saburo Abe"))
    scene.exports()
    scene.answers_automatically()
    token_create(employee=chief, name="data warehouse")
    hold = hold_place(name="Case 12", reason="Court order", placed_by=None, employee=clerk)
    hold_release(hold=hold, reason="Settled", released_by=None)
    erase_messages(Message.objects.filter(text="Thank you."), basis="request")
    later = {"text": "明日のご案内です。", "send_at": timezone.now() + timedelta(days=1)}
    waiting = gateway.send(actor=clerk, conversation=chat, **later).message
    assert waiting is not None
    recall(actor=clerk, message_id=waiting.pk)
    factories.held(chat)
    seal()
    # One row that the old version had not sealed when it was stopped.
    gateway.send(actor=clerk, conversation=chat, text="またのお越しを。", occurred_at=when)
