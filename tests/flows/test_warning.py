"""The main job: somebody tries to take the talk private, and the supervisor is warned."""

from __future__ import annotations

import re
from email.message import EmailMessage

from django.test import Client

from crm_contact_guard import gateway
from crm_contact_guard.conversations.chat_links import chat_link_create
from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.supervision.models import Alert
from tests import factories
from tests.flows.conftest import Post, clerk, url


def kinds(alert: Alert) -> list[str]:
    events = Event.objects.filter(subject_type="alert", subject_id=str(alert.pk)).order_by("recorded_at", "id")
    return list(events.values_list("kind", flat=True))


def supervisor(language: str) -> Client:
    browser = Client(headers={"accept-language": language})
    alert = Alert.objects.get()
    assert alert.addressee is not None
    assert alert.addressee.user is not None
    browser.force_login(alert.addressee.user)
    return browser


def test_by_chat_in_japanese(post: Post) -> None:
    conversation = factories.conversation(clerk("ja"), name="佐藤 花子")
    _link, token = chat_link_create(conversation=conversation, created_by=conversation.employee)
    phone = Client(headers={"accept-language": "ja"})
    page = phone.get(url("chat_enter", token), follow=True).content.decode()
    form = dict(re.findall(r'name="(form_token|key)" value="([^"]*)"', page))

    phone.post(url("chat_page"), {**form, "text": "LINE交換しませんか？ID: hanako_22"})

    alert = Alert.objects.get()
    assert (alert.topic, alert.by, alert.conversation) == ("off_channel", "customer", conversation)
    evidence = {(found.message.text or "")[found.start : found.end] for found in alert.findings.all()}
    assert "hanako_22" in evidence
    warning = post.sink.next_mail()
    assert warning["To"] == "sora@kaede.example"
    text = warning["Subject"] + warning.get_content()
    assert "佐藤 花子" in text
    assert re.search("[ぁ-ん]", warning["Subject"]), "written in the supervisor's language"
    assert f"http://testserver{url('alert', alert.pk)}" in text
    assert "hanako_22" not in text
    assert post.sink.is_empty, "one warning an alert"

    browser = supervisor("ja")
    assert str(alert.pk) in browser.get(url("dashboard")).content.decode()
    closing = {"resolution": "no_action", "comment": "お客様にご案内済み"}
    browser.post(url("alert_close", alert.pk), closing)
    alert.refresh_from_db()
    assert (alert.status, alert.resolution) == ("closed", "no_action")
    assert kinds(alert)[0] == "alert.opened"
    assert kinds(alert)[-1] == "alert.closed"


def test_by_email_in_english(post: Post) -> None:
    employee = clerk("en")
    conversation = factories.conversation(
        employee, channel="email", email="j.whitfield@mail.example", name="J. Whitfield"
    )
    sent = gateway.send(
        actor=employee, conversation=conversation, subject="Your stay", text="Your room is ready from ten."
    )
    assert sent.message is not None
    ours = post.sink.next_mail()
    assert ours["To"] == '"J. Whitfield" <j.whitfield@mail.example>'
    assert conversation.reply_token in ours["Reply-To"]
    assert "kept by Hotel Kaede" in ours.get_content()

    answer = EmailMessage()
    answer["From"] = "J. Whitfield <j.whitfield@mail.example>"
    answer["To"] = ours["Reply-To"]
    answer["Subject"] = "Re: Your stay"
    answer["Message-ID"] = "<answer-1@mail.example>"
    answer["In-Reply-To"] = ours["Message-ID"]
    answer["References"] = ours["Message-ID"]
    quoted = "".join(f"> {line}\n" for line in ours.get_content().splitlines())
    answer.set_content(
        "Thank you. Could we talk on WhatsApp instead? My number is +44 7700 900141.\n\n"
        f"On Tue, 24 Nov 2026, Aoi wrote:\n{quoted}"
    )
    code, _words = post.deliver(answer, sender="j.whitfield@mail.example", to=str(ours["Reply-To"]))

    assert code == 250
    received = Message.objects.get(direction="inbound")
    assert received.conversation == conversation
    assert received.text == "Thank you. Could we talk on WhatsApp instead? My number is +44 7700 900141."
    assert "Your room is ready" in (received.quoted or "")
    alert = Alert.objects.get()
    assert (alert.topic, alert.by, alert.at_message) == ("off_channel", "customer", received)
    warning = post.sink.next_mail()
    assert warning["To"] == "sora@kaede.example"
    assert "J. Whitfield" in warning["Subject"]
    assert "900141" not in warning["Subject"] + warning.get_content()
    assert url("alert", alert.pk) in supervisor("en").get(url("dashboard")).content.decode()


def test_an_employees_message_at_night_warns_unless_it_is_an_emergency(post: Post) -> None:
    branch = factories.team(head="sora")
    employee = factories.employee("aoi", branch=branch, hours={"mon-fri": "09:00-18:00"})
    night = factories.office_time().replace(hour=23)
    quiet = factories.conversation(employee, name="Hanako Sato")
    gateway.send(
        actor=employee, conversation=quiet, text="お部屋の水漏れ、すぐ伺います。", emergency=True, occurred_at=night
    )
    assert post.sink.is_empty

    talk = factories.conversation(employee, name="Ken Kuroda")
    gateway.send(actor=employee, conversation=talk, text="明日のご朝食は7時からです。", occurred_at=night)

    alert = Alert.objects.get()
    assert (alert.topic, alert.conversation) == ("after_hours", talk)
    assert "Ken Kuroda" in post.sink.next_mail()["Subject"]


def test_a_polite_refusal_and_a_guest_at_night_warn_nobody(post: Post) -> None:
    employee = clerk("en")
    conversation = factories.conversation(employee)
    gateway.send(
        actor=employee,
        conversation=conversation,
        text="I'm afraid we don't share private contact details; please keep writing to us here.",
    )

    assert not Alert.objects.exists()
    assert post.sink.is_empty
