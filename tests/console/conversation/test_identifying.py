"""On the page: who wrote in, what addresses are shown to whom, and that opt-outs are told."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from crm_contact_guard import gateway
from crm_contact_guard.channels.base import ContactEvent, ContactKind, InboundMessage
from crm_contact_guard.directory.models import Customer
from crm_contact_guard.intake.events import take
from crm_contact_guard.record.models import Conversation, Event
from tests import factories
from tests.console.conftest import Hotel, url

RAW = "h.sato.private@work.example"


@pytest.fixture
def stranger(hotel: Hotel) -> Conversation:
    """Somebody unknown wrote to Aoi's team; the carrier gave the address in the name's place, as some do."""
    received = gateway.receive(
        InboundMessage(
            channel="email", event_id=uuid4().hex, from_address=RAW, from_name=RAW, text="Hello",
            occurred_at=timezone.now(), details={"headers": {"From": f"H <{RAW}>"}},
        )
    )  # fmt: skip
    assert received.conversation is not None
    received.conversation.team = hotel.talk.team
    received.conversation.save()
    return received.conversation


@pytest.mark.parametrize(
    ("who", "sees", "may"),
    [
        ("nobody", 302, 302), ("visitor", 403, 403), ("aoi", 200, 302), ("ken", 200, 302), ("ren", 404, 404),
        ("chief", 200, 302), ("vice", 200, 302), ("boss", 404, 404), ("compliance", 200, 302), ("auditor", 403, 403),
    ],
)  # fmt: skip
def test_who_may_say_who_it_is(hotel: Hotel, stranger: Conversation, who: str, sees: int, may: int) -> None:
    customer = hotel.talk.customer
    assert hotel.get(who, "customer_identify", stranger.pk, query="?q=").status_code == sees
    response = hotel.post(who, "customer_identify", stranger.pk, data={"customer": str(customer.pk)})
    assert response.status_code == may

    stranger.refresh_from_db()
    assert (stranger.customer == customer) is (sees == 200)


def test_search_finds_those_one_looks_after_and_identifies(hotel: Hotel, stranger: Conversation) -> None:
    name = hotel.talk.customer.name
    page = hotel.get("aoi", "customer_identify", stranger.pk, query=f"?q={name[:4].upper()}").content.decode()

    assert f'value="{hotel.talk.customer.pk}"' in page
    assert str(hotel.other.customer.pk) not in page
    assert hotel.post(
        "aoi", "customer_identify", stranger.pk, data={"customer": str(hotel.other.customer.pk)}
    ).status_code == 403  # fmt: skip
    assert hotel.post("aoi", "customer_identify", stranger.pk, data={"customer": "x"}).status_code == 404


@pytest.mark.parametrize("who", ["aoi", "chief", "auditor", "compliance"])
def test_a_raw_address_stands_on_no_page_and_in_no_answer(hotel: Hotel, stranger: Conversation, who: str) -> None:
    message = stranger.messages.get()
    api = f"/guard/api/v1/conversations/{stranger.pk}/"
    addresses = [
        url("conversation", stranger.pk),
        api,
        f"{api}messages/",
        f"/guard/api/v1/messages/{message.pk}/",
        "/guard/api/v1/messages/",
        "/guard/api/v1/conversations/",
    ]
    if who == "aoi":
        addresses += [url("inbox"), url("inbox_news"), url("inbox_conversation", stranger.pk)]
    if who != "aoi":
        addresses += [url("dashboard"), url("alerts")]

    for address in addresses:
        response = hotel.browser(who).get(address)
        assert response.status_code == 200, address
        assert RAW not in response.content.decode(), address
        assert "h•••@work.example" in response.content.decode() or "alert" in address or address.endswith("guard/")
    for name in ("messages.jsonl", "messages.csv"):
        body = b"".join(hotel.browser(who).get(f"/guard/api/v1/{name}").streaming_content)  # type: ignore[attr-defined]
        assert RAW.encode() not in body


@pytest.mark.parametrize(
    ("who", "status"),
    [("nobody", 302), ("visitor", 403), ("aoi", 403), ("ken", 403), ("ren", 404), ("chief", 403), ("vice", 403),
     ("boss", 404), ("compliance", 200), ("auditor", 403)],
)  # fmt: skip
def test_only_compliance_unmasks_and_it_is_recorded(
    hotel: Hotel, stranger: Conversation, who: str, status: int
) -> None:
    if status in (200, 403) and who != "visitor":
        offered = (
            url("conversation_unmask", stranger.pk) in hotel.get(who, "conversation", stranger.pk).content.decode()
        )
        assert offered is (status == 200)

    if status == 200:
        refused = hotel.post(who, "conversation_unmask", stranger.pk, data={"reason": " "})
        assert refused.status_code == 422
        assert RAW not in refused.content.decode()
    response = hotel.post(who, "conversation_unmask", stranger.pk, data={"reason": "Who is it?"})

    assert response.status_code == status
    assert (RAW in response.content.decode()) is (status == 200)
    assert Event.objects.filter(kind="view.unmasked").exists() is (status == 200)
    assert hotel.get(who, "conversation_unmask", stranger.pk).status_code in (302, 403, 405)


def test_the_writer_sees_who_does_not_want_to_be_written_to(hotel: Hotel) -> None:
    customer: Customer = hotel.talk.customer
    customer.addresses.create(kind="email", value="hanako@gmail.com", normalised="hanako@gmail.com")
    assert 'value="email"' in hotel.get("aoi", "conversation", hotel.talk.pk).content.decode()
    at = timezone.now()
    take(ContactEvent(
        channel="email", event_id="c", address="hanako@gmail.com", kind=ContactKind.COMPLAINT, occurred_at=at
    ))  # fmt: skip

    page = hotel.get("aoi", "conversation", hotel.talk.pk).content.decode()

    assert "can&#x27;t receive messages by E-mail: the address reported a message as unwanted." in page
    assert 'value="email"' not in page


def test_a_shared_address_is_told(hotel: Hotel) -> None:
    customer = hotel.talk.customer
    customer.addresses.create(kind="email", value="f@sato.example", normalised="f@sato.example")
    factories.customer("Taro Sato", email="f@sato.example")

    assert "Another customer has the same address" in hotel.get("aoi", "conversation", hotel.talk.pk).content.decode()


def test_a_text_block_is_chosen_filled_in_and_sent(hotel: Hotel, settings: Any) -> None:
    block = {"LABEL": "Arrival", "TEXTS": {"en": "Dear {customer}, room {room_number} is ready."}}
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "TEMPLATES": {"arrival": block}}

    chosen = hotel.send("aoi", "a draft", template="arrival", choose="1")
    assert chosen.status_code == 200
    page = chosen.content.decode()
    assert 'name="var-room_number"' in page
    assert "room [room_number] is ready" in page
    assert not hotel.talk.messages.exists()

    missing = hotel.send("aoi", "a draft", template="arrival")
    assert missing.status_code == 422
    assert "Fill in room_number." in missing.content.decode()

    assert hotel.send("aoi", "a draft", template="arrival", **{"var-room_number": "512"}).status_code == 302
    assert hotel.talk.messages.get().text == f"Dear {hotel.talk.customer.name}, room 512 is ready."


def test_a_key_of_the_host_that_is_an_address_is_masked_too(hotel: Hotel) -> None:
    Customer.objects.filter(pk=hotel.talk.customer.pk).update(key="hanako@gmail.com", name="Hanako Sato")

    for who in ("aoi", "auditor"):
        api = hotel.browser(who).get(f"/guard/api/v1/conversations/{hotel.talk.pk}/").json()
        assert api["customer"]["key"] == "h•••@gmail.com"
    for page in ("customer_data", "data_requests"):
        arguments = [hotel.talk.customer.pk] if page == "customer_data" else []
        shown = hotel.get("auditor", page, *arguments, query="?q=Hanako").content.decode()
        assert "hanako@gmail.com" not in shown
        assert "h•••@gmail.com" in shown
