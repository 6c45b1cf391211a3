"""A channel of another package with an address kind of its own. Nothing but the channel and the settings names it."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from django.test import Client

from crm_contact_guard.channels.address_kinds import AddressKind
from crm_contact_guard.checks import check_adapter, check_channels
from crm_contact_guard.delivery import attempts
from crm_contact_guard.directory.models import Customer
from crm_contact_guard.directory_sync import sync_all
from crm_contact_guard.exceptions import ConfigurationError, InvalidMessage
from crm_contact_guard.exports import subject
from crm_contact_guard.installation.people import people_items
from crm_contact_guard.record.models import Conversation, Message
from tests import factories
from tests.host.models import Client as Guest
from tests.signed_channel import SignedChannel, signature

pytestmark = pytest.mark.django_db

AT = "2026-11-24T10:00:00+09:00"
SECRET = "s3cret"


def _masked(value: str) -> str:
    return f"{value[:2]}•••:{value.partition(':')[2]}"


class MatrixChannel(SignedChannel):
    address_kind = AddressKind(
        "matrix",
        "Matrix",
        normalise=lambda value: value.strip().lower(),
        mask=_masked,
        is_valid=lambda value: bool(re.fullmatch(r"@[^:\s]+:\S+", value)),
    )
    verbose_name = "Matrix room"


class RivalChannel(SignedChannel):
    address_kind = AddressKind("matrix", "Another one")
    verbose_name = "Rival"


class UndeclaredChannel(SignedChannel):
    address_kind = "phone"  # type: ignore[assignment]


def configured(**channels: str) -> dict[str, Any]:
    """The entries of ``CHANNELS`` for classes of this module."""
    return {alias: {"BACKEND": f"{__name__}.{name}", "OPTIONS": {"SECRET": SECRET}} for alias, name in channels.items()}


@pytest.fixture
def channels(settings: Any) -> dict[str, Any]:
    customer = {**settings.CONTACT_GUARD["CUSTOMER"], "PHONE": "mobile", "MATRIX": "office_phone"}
    factories.add_channels(settings, configured(matrix="MatrixChannel"), CUSTOMER=customer)
    return settings.CONTACT_GUARD["CHANNELS"]  # type: ignore[no-any-return]


@pytest.fixture
def talk(channels: dict[str, Any]) -> Conversation:
    """Aoi's conversation with a customer whose address the sync read from the CRM."""
    clerk = factories.employee("aoi", branch=factories.team(head="sora"))
    guest = Guest.objects.create(full_name="Hanako Sato", office_phone="@Hanako:Kaede.example", manager=clerk.user)
    sync_all()
    return factories.conversation_open(customer=Customer.objects.get(key=str(guest.pk)), channel="matrix")


def webhook(event: str, sender: str, **fields: Any) -> None:
    body = json.dumps({"events": [{"id": f"{event} {fields}", "type": event, "from": sender, "at": AT, **fields}]})
    headers = {"X-Signature": signature(body.encode(), SECRET)}
    response = Client().post("/guard/webhooks/matrix/", body, content_type="application/json", headers=headers)
    assert response.status_code == 204


def test_a_message_finds_its_sender_and_the_answer_goes_to_the_address(talk: Conversation) -> None:
    webhook("message", "@hanako:KAEDE.example", text="Hello")
    sent = factories.sent(talk, "Hello", "matrix")
    attempts.deliver(sent.pk)

    assert Message.objects.get(direction="inbound").conversation == talk
    sent.refresh_from_db()
    assert sent.to_address == "@Hanako:Kaede.example"
    assert sent.delivery.state == "sent"


def test_an_opt_out_stops_it_for_everybody_with_the_address(talk: Conversation) -> None:
    webhook("stop", "@HANAKO:kaede.example")
    with pytest.raises(InvalidMessage, match="can't receive messages by Matrix room"):
        factories.sent(talk, "Hello", "matrix")

    webhook("start", "@HANAKO:kaede.example")
    assert factories.sent(talk, "Hello", "matrix")


def test_it_is_masked_on_pages_in_the_api_and_in_exports(talk: Conversation) -> None:
    webhook("message", "@hanako:kaede.example", text="Hello")
    webhook("message", "@stranger:mail.example", text="I am new")
    sent = factories.sent(talk, "Hello", "matrix")
    assert talk.employee is not None
    browser, officer = Client(), Client()
    browser.force_login(talk.employee.user)
    officer.force_login(factories.employee("kai", job="compliance").user)

    page = browser.get(f"/guard/conversations/{talk.pk}/").content.decode()
    shown = browser.get(f"/guard/api/v1/conversations/{talk.pk}/").json()["addresses"]
    *lines, _end = officer.get("/guard/api/v1/messages.jsonl").getvalue().decode().splitlines()  # type: ignore[attr-defined]

    assert "<dt>Matrix</dt><dd>@H•••:Kaede.example</dd>" in page
    assert [(row["kind"], row["value"]) for row in shown] == [("matrix", "@H•••:Kaede.example")]
    exported = {row["id"]: (row["from_address"], row["to_address"]) for row in map(json.loads, lines)}
    assert exported[str(sent.pk)][1] == "@H•••:Kaede.example"
    assert "hanako" not in "".join([page, *lines]).lower().replace("hanako sato", "")
    assert Customer.objects.get(key=None).name == "@s•••:mail.example"


def test_the_customer_is_given_it_unmasked(talk: Conversation) -> None:
    told = io.StringIO()
    subject.disclose(talk.customer, told)

    assert {"kind": "matrix", "value": "@Hanako:Kaede.example"} in json.loads(told.getvalue())["customer"]["addresses"]


def test_invalid_addresses_are_reported(talk: Conversation) -> None:
    Guest.objects.create(full_name="Jiro", office_phone="jiro")

    assert any("1 customer with an invalid address of kind 'matrix'" in item.says for item in people_items())


def test_addresses_outlive_their_channel_and_the_option_left_is_reported(talk: Conversation, settings: Any) -> None:
    kept = {alias: given for alias, given in settings.CONTACT_GUARD["CHANNELS"].items() if alias != "matrix"}
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "CHANNELS": kept}
    browser = Client()
    assert talk.employee is not None
    browser.force_login(talk.employee.user)

    page = browser.get(f"/guard/conversations/{talk.pk}/").content.decode()

    assert "<dt>matrix</dt><dd>••••</dd>" in page
    assert [found.id for found in check_adapter(None)] == ["crm_contact_guard.E003"]
    with pytest.raises(ConfigurationError, match="unknown option 'MATRIX'"):
        sync_all()
    assert talk.customer.addresses.filter(kind="matrix").exists()


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("RivalChannel", ("crm_contact_guard.E016", "'matrix'")),
        ("UndeclaredChannel", ("crm_contact_guard.E004", "is not an AddressKind")),
    ],
)
def test_a_declaration_that_cannot_be_used_is_reported(
    channels: dict[str, Any], settings: Any, name: str, problem: tuple[str, str]
) -> None:
    factories.add_channels(settings, configured(other=name))

    (found,) = check_channels(None)

    assert found.id == problem[0]
    assert problem[1] in found.msg


@pytest.mark.parametrize("name", ["Matrix", "", "m", "two words", "much_too_long_a_name"])
def test_a_name_that_cannot_be_stored_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a name for an address kind"):
        AddressKind(name, "Matrix")
