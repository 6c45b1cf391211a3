"""The customer's side of the web chat."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.utils import timezone

from crm_contact_guard import gateway
from crm_contact_guard.console.customer.chat_entry import COOKIE
from crm_contact_guard.console.customer.chat_limits import PER_MINUTE
from crm_contact_guard.conversations.chat_links import chat_link_create, chat_link_revoke
from crm_contact_guard.conversations.models import ChatLink
from crm_contact_guard.directory.models import Address
from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.verification.whole_record import verify
from tests.console.conftest import Hotel, says, url


def html(response: object) -> str:
    return response.content.decode()  # type: ignore[attr-defined, no-any-return]


class Phone:
    """The customer's browser, with a link to the talk."""

    def __init__(self, hotel: Hotel) -> None:
        self.link, self.token = chat_link_create(conversation=hotel.talk, created_by=hotel.people["aoi"])
        # CSRF checks on, and a browser that knows no CSRF cookie: the page must not rely on it.
        self.browser = Client(enforce_csrf_checks=True)

    def open(self) -> str:
        return html(self.browser.get(url("chat_enter", self.token), follow=True))

    def form(self) -> dict[str, str]:
        page = html(self.browser.get(url("chat_page")))
        return dict(re.findall(r'name="(form_token|key)" value="([^"]*)"', page))

    def write(self, text: str, form: dict[str, str] | None = None, **more: Any) -> Any:
        return self.browser.post(url("chat_page"), {**(form or self.form()), "text": text}, **more)


@pytest.fixture
def phone(hotel: Hotel) -> Phone:
    return Phone(hotel)


def answer(hotel: Hotel, text: str, run: Any) -> Message:
    with run(execute=True):
        sent = gateway.send(actor=hotel.people["aoi"], conversation=hotel.talk, text=text, channel="chat")
    assert sent.message is not None
    return sent.message


def test_the_token_is_exchanged_for_a_cookie_and_leaves_the_address(phone: Phone) -> None:
    response = phone.browser.get(url("chat_enter", phone.token))

    assert response["Location"] == url("chat_page")
    cookie = response.cookies[COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == url("chat_page")
    assert response["Referrer-Policy"] == "no-referrer"
    assert phone.token not in phone.open()


def test_the_cookie_is_for_https_alone_where_there_is_https(phone: Phone) -> None:
    assert phone.browser.get(url("chat_enter", phone.token), secure=True).cookies[COOKIE]["secure"]


def test_the_page_says_who_answers_and_that_it_is_recorded(phone: Phone) -> None:
    page = phone.open()

    assert "Aoi answers you here" in page
    assert "This conversation is kept by Hotel Kaede" in page
    assert "Open now" in page
    assert '<html lang="en">' in page  # the customer's language, as the CRM has it

    # The browser's language counts more, and the customer's choice on the page most.
    japanese = {"accept-language": "fr, ja;q=0.8, en;q=0.5"}
    assert '<html lang="ja">' in html(phone.browser.get(url("chat_page"), headers=japanese))
    chosen = phone.browser.get(url("chat_page") + "?lang=en", headers=japanese, follow=True)
    assert '<html lang="en">' in html(chosen)


def test_unknown_expired_and_revoked_links_say_what_to_do(hotel: Hotel, phone: Phone) -> None:
    phone.browser.defaults["HTTP_ACCEPT_LANGUAGE"] = "ja"
    unknown = phone.browser.get(url("chat_enter", "nonsense"))
    phone.open()
    form = phone.form()
    chat_link_revoke(link=phone.link, revoked_by=hotel.people["aoi"])
    late = Phone(hotel)
    ChatLink.objects.filter(pk=late.link.pk).update(expires_at=timezone.now() - timedelta(seconds=1))

    for response in (
        unknown,
        phone.browser.get(url("chat_enter", phone.token)),
        phone.browser.get(url("chat_page")),
        phone.write("Hello?", form),
        late.browser.get(url("chat_enter", late.token)),
        Client().get(url("chat_page")),
    ):
        assert response.status_code == 410
        assert "Hotel Kaede" in html(response)
        assert COOKIE not in response.cookies
    assert "新しいリンク" in html(unknown)
    assert phone.browser.get(url("chat_news")).status_code == 410
    assert not hotel.talk.messages.exists()


def test_a_message_arrives_once_however_often_it_is_sent(hotel: Hotel, phone: Phone) -> None:
    phone.open()
    form = phone.form()

    for _ in range(3):
        assert phone.write("Is there a pool?", form).status_code == 302
    phone.write("Is there a big pool?", form)

    texts = hotel.talk.messages.order_by("recorded_at").values_list("text", flat=True)
    assert list(texts) == ["Is there a pool?", "Is there a big pool?"]
    message = hotel.talk.messages.first()
    assert (message.direction, message.channel, message.from_name) == ("inbound", "chat", "Hanako Sato")


def test_two_customers_with_the_same_form_key_are_two(hotel: Hotel, phone: Phone) -> None:
    phone.open()
    phone.write("Hello", {**phone.form(), "key": "same"})
    other = Phone(hotel)
    other.link.conversation = hotel.other
    other.link.save()
    other.open()

    other.write("Hello", {**other.form(), "key": "same"})

    assert hotel.talk.messages.count() == hotel.other.messages.count() == 1


@pytest.mark.parametrize(("text", "words"), [("  \n", "write something"), ("x" * 5001, "5001 characters")])
def test_what_cannot_be_sent_is_given_back(hotel: Hotel, phone: Phone, text: str, words: str) -> None:
    phone.open()

    response = phone.write(text)

    assert response.status_code == 422
    assert words in html(response)
    assert f">{text}</textarea>" in html(response)
    assert not hotel.talk.messages.exists()


def test_a_post_from_elsewhere_is_refused_with_the_text_in_hand(hotel: Hotel, phone: Phone) -> None:
    phone.open()

    response = phone.write("From another site", {"form_token": "guess", "key": "k"})

    assert response.status_code == 403
    assert "From another site</textarea>" in html(response)
    assert not hotel.talk.messages.exists()


def test_an_enormous_post_is_not_even_read(hotel: Hotel, phone: Phone, settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "MAX_FILE_BYTES": 1000}
    phone.open()

    assert phone.write("x" * 300_000).status_code == 413
    assert not hotel.talk.messages.exists()


def test_a_flood_is_slowed_and_nothing_is_lost(hotel: Hotel, phone: Phone) -> None:
    phone.open()
    for index in range(PER_MINUTE):
        says(hotel.talk, f"{index}")

    response = phone.write("One more")

    assert response.status_code == 429
    assert "One more</textarea>" in html(response)


def test_an_answer_is_handed_out_and_read_once(
    hotel: Hotel, phone: Phone, django_capture_on_commit_callbacks: Any
) -> None:
    page = phone.open()
    version = re.search(r'data-cg-version="([^"]+)"', page)
    assert version is not None
    quiet = phone.browser.get(url("chat_news"), {"v": version[1]})
    message = answer(hotel, "Yes, <there> is.", django_capture_on_commit_callbacks)

    news = phone.browser.get(url("chat_news"), {"v": version[1]})
    for _ in range(2):
        phone.browser.get(url("chat_page"))

    assert quiet.status_code == 204
    assert "Yes, &lt;there&gt; is." in html(news)
    message.delivery.refresh_from_db()
    assert message.delivery.state == "read"
    assert Event.objects.filter(kind="delivery.read", message=message).count() == 1


def test_what_no_worker_has_handed_over_is_not_shown_yet(hotel: Hotel, phone: Phone) -> None:
    sent = gateway.send(actor=hotel.people["aoi"], conversation=hotel.talk, text="Soon", channel="chat")
    assert sent.message is not None

    assert "Soon" not in phone.open()
    assert not Event.objects.filter(kind="delivery.read").exists()


def test_the_link_shows_the_chat_only(hotel: Hotel, phone: Phone) -> None:
    gateway.note(
        actor=hotel.people["aoi"],
        conversation=hotel.talk,
        kind="call",
        text="Sounded cross on the phone",
        occurred_at=timezone.now(),
    )
    says(hotel.talk, "My ID is hanako_22")

    page = phone.open()

    assert "hanako_22" in page
    assert "Sounded cross" not in page
    assert "<mark" not in page


def test_the_page_speaks_the_customers_language(hotel: Hotel, phone: Phone) -> None:
    hotel.talk.customer.language = "ja"
    hotel.talk.customer.save()

    page = phone.open()

    assert '<html lang="ja">' in page
    assert "Hotel Kaedeが記録しています" in page


def test_a_host_that_lets_nobody_in_without_login_lets_the_customer_in(phone: Phone) -> None:
    closed = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
    with override_settings(MIDDLEWARE=closed):
        assert "Aoi answers you here" in phone.open()


def test_links_are_made_shown_once_listed_and_revoked(hotel: Hotel) -> None:
    made = html(hotel.post("aoi", "chat_link_create", hotel.talk.pk))
    shown = re.search(r'value="(http://testserver/guard/chat/[^"]+)"', made)
    assert shown is not None
    link = hotel.talk.chat_links.get()

    again = html(hotel.get("aoi", "conversation", hotel.talk.pk))
    assert shown[1] not in again
    assert url("chat_link_revoke", hotel.talk.pk, link.pk) in again
    assert Client().get(shown[1].removeprefix("http://testserver")).status_code == 302

    hotel.post("aoi", "chat_link_revoke", hotel.talk.pk, link.pk)
    assert Client().get(shown[1].removeprefix("http://testserver")).status_code == 410


def test_a_link_of_another_conversation_is_not_revoked_through_ones_own(hotel: Hotel) -> None:
    theirs, _token = chat_link_create(conversation=hotel.other, created_by=None)

    assert hotel.post("aoi", "chat_link_revoke", hotel.talk.pk, theirs.pk).status_code == 404
    theirs.refresh_from_db()
    assert theirs.revoked_at is None


def test_the_customer_ends_the_talk_and_takes_a_copy(hotel: Hotel, phone: Phone) -> None:
    guest = hotel.talk.customer
    Address.objects.create(customer=guest, kind="email", value="hanako@post.example", normalised="hanako@post.example")
    phone.open()
    phone.write("Is there a pool? My card is 4242 4242 4242 4242")
    form = {**phone.form(), "end": "1", "copy": "1"}
    forged = phone.browser.post(url("chat_page"), {**form, "form_token": "x"})
    assert (forged.status_code, ChatLink.objects.get().revoked_at) == (410, None)

    ended = html(phone.browser.post(url("chat_page"), form))

    assert "You have ended this talk" in ended
    assert "A copy is on its way" in ended
    copy = Message.objects.get(direction="outbound")
    assert (copy.channel, copy.source, copy.to_address) == ("email", "auto", "hanako@post.example")
    assert "Is there a pool?" in (copy.text or "")
    assert phone.browser.get(url("chat_page")).status_code == 410
    hotel.talk.refresh_from_db()
    assert hotel.talk.waiting_since is not None
    assert [str(fault) for fault in verify().faults if "chatlink" in str(fault) or "conversation" in str(fault)] == []
