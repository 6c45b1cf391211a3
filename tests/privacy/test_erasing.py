"""Erasure by retention or on a customer's request, and legal holds: content is erased, proofs stay valid."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from crm_contact_guard.channels.base import FileIn
from crm_contact_guard.channels.memory import MemoryChannel
from crm_contact_guard.delivery import attempts, outbox
from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.directory.models import Customer
from crm_contact_guard.exceptions import ChannelError, ConfigurationError, InvalidMessage
from crm_contact_guard.files import storage
from crm_contact_guard.files.models import Attachment
from crm_contact_guard.policy import retention
from crm_contact_guard.privacy import erasing, holds
from crm_contact_guard.privacy.erasing import erase_messages
from crm_contact_guard.proof import canonical
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.record.recording import message_open_values, record_event, record_message
from tests import factories

pytestmark = pytest.mark.django_db

FOUR_YEARS = timedelta(days=4 * 366)


@pytest.fixture(autouse=True)
def _own_media(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def conversation() -> Conversation:
    return factories.conversation(factories.employee("aoi"), email="hanako@gmail.com")


def say(conversation: Conversation, text: str, *, age: timedelta = timedelta(0), channel: str = "chat") -> Message:
    stored = storage.store([FileIn(name="passport.png", content_type="image/png", content=b"PNG")])
    message = factories.recorded(
        conversation,
        text,
        channel=channel,
        occurred_at=timezone.now() - age,
        from_name="Hanako Sato",
        files=storage.listing(stored),
    )
    storage.attach(message, stored)
    record_event(
        kind="delivery.failed", subject_type="message", subject_id=message.pk, actor_type="carrier", message=message,
        details={"error": "no such user hanako"},
    )  # fmt: skip
    return message


def rules(settings: Any, **retention_setting: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "RETENTION": retention_setting}


def purge(*arguments: str) -> str:
    out = io.StringIO()
    call_command("contact_guard_purge", *arguments, stdout=out)
    return out.getvalue()


def test_erasure_removes_content_and_keeps_the_leaf(conversation: Conversation) -> None:
    message = say(conversation, "my secret")
    stored_as = Attachment.objects.get().stored_as

    assert erase_messages(Message.objects.all(), basis="retention") == 1

    erased = Message.objects.get()
    assert [getattr(erased, name) for name in canonical.MESSAGE_PERSONAL] == [None] * 9
    assert erased.salt is None
    leaf = canonical.leaf_bytes("message", message_open_values(erased), bytes(erased.digests))
    assert canonical.leaf_hash(leaf) == bytes(message.leaf_hash)
    assert not storage.backend().exists(stored_as)
    assert Event.objects.get(kind="delivery.failed").details is None
    assert set(Event.objects.filter(kind="erasure.retention").values_list("subject_type", flat=True)) == {
        "message",
        "event",
    }


def test_an_erased_message_that_still_waits_is_not_sent(conversation: Conversation, settings: Any) -> None:
    memory = {"BACKEND": "crm_contact_guard.channels.memory.MemoryChannel"}
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "CHANNELS": {"memory": memory}}
    message = record_message(
        conversation=conversation, direction="outbound", channel="memory", occurred_at=timezone.now(), text="my secret"
    )
    outbox.enqueue(message)
    MemoryChannel.errors.append(ChannelError("no answer for hanako@gmail.com", permanent=False))
    attempts.deliver(message.pk)

    erase_messages(Message.objects.all(), basis="request")

    assert Delivery.objects.get().last_error == ""
    Delivery.objects.update(due_at=timezone.now())
    assert attempts.deliver(message.pk) is None
    assert MemoryChannel.sent == []
    assert (Delivery.objects.get().state, Delivery.objects.get().last_error) == ("failed", "erased")


def test_nothing_is_erased_before_the_company_confirms(conversation: Conversation, settings: Any) -> None:
    say(conversation, "old", age=FOUR_YEARS)
    rules(settings, PRESET="sec_17a_4")

    assert "Nothing is erased" in purge("--erase")
    assert Message.objects.get().text == "old"


def test_a_dry_run_only_counts(conversation: Conversation, settings: Any) -> None:
    say(conversation, "old", age=FOUR_YEARS)
    say(conversation, "new")
    rules(settings, PRESET="sec_17a_4", CONFIRMED=True)

    assert "sec_17a_4: 1 messages would be erased" in purge()
    assert Message.objects.filter(text="old").exists()

    assert "sec_17a_4: 1 messages erased" in purge("--erase")
    assert list(Message.objects.exclude(text=None).values_list("text", flat=True)) == ["new"]
    assert "sec_17a_4: 0 messages erased" in purge("--erase")


def test_the_first_matching_rule_applies(conversation: Conversation, settings: Any) -> None:
    say(conversation, "chat", age=FOUR_YEARS)
    say(conversation, "mail", age=FOUR_YEARS, channel="email")
    rules(settings, RULES=[{"channel": "email", "years": 7}, {"years": 3}], CONFIRMED=True)

    purge("--erase")

    assert list(Message.objects.exclude(text=None).values_list("text", flat=True)) == ["mail"]


def test_a_rule_for_everything_keeps_what_later_ones_would_erase(conversation: Conversation, settings: Any) -> None:
    say(conversation, "chat", age=FOUR_YEARS)
    rules(settings, RULES=[{"years": 10}, {"channel": "chat", "years": 1}], PRESET="sec_17a_4", CONFIRMED=True)

    purge("--erase")

    assert Message.objects.get().text == "chat"


def test_a_hold_placed_during_a_purge_applies_from_the_next_batch(
    conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        say(conversation, f"message {number}")
    monkeypatch.setattr(erasing, "BATCH", 1)
    placed = []

    def place(ids: Any) -> None:
        placed.append(ids)
        holds.hold_place(name="h", reason="r", placed_by=None, customer=conversation.customer)

    monkeypatch.setattr(erasing, "ERASERS", [place])

    assert erase_messages(Message.objects.all(), basis="retention") == 1

    assert len(placed) == 1
    assert Message.objects.exclude(text=None).count() == 2


def test_a_hold_on_a_file_fetched_later_keeps_it(conversation: Conversation) -> None:
    first = say(conversation, "see photo", age=FOUR_YEARS)
    fetched = factories.recorded(
        conversation, "", occurred_at=timezone.now(), from_name="Hanako Sato", reply_to_id=first.pk
    )
    holds.hold_place(name="h", reason="r", placed_by=None, since=timezone.now() - timedelta(days=1))

    erase_messages(Message.objects.all(), basis="retention")

    assert Message.objects.get(pk=first.pk).text is None
    assert Message.objects.get(pk=fetched.pk).from_name == "Hanako Sato"


@pytest.mark.parametrize(
    "bad", [{"PRESET": "sec17"}, {"RULES": [{"years": 0}]}, {"RULES": [{"chanel": "chat", "years": 3}]}]
)
def test_an_invalid_rule_is_reported(settings: Any, bad: dict[str, Any]) -> None:
    rules(settings, **bad, CONFIRMED=True)

    with pytest.raises(ConfigurationError, match="RETENTION"):
        retention.rules()
    with pytest.raises(CommandError, match="RETENTION"):
        purge()


def test_a_hold_keeps_what_it_covers_until_released(conversation: Conversation, settings: Any) -> None:
    say(conversation, "held", age=FOUR_YEARS)
    say(factories.conversation(factories.employee("ren"), name="Emma Wright"), "free", age=FOUR_YEARS)
    rules(settings, PRESET="sec_17a_4", CONFIRMED=True)
    hold = holds.hold_place(name="Sato v. Kaede", reason="claim", placed_by=None, customer=conversation.customer)

    purge("--erase")
    assert list(Message.objects.exclude(text=None).values_list("text", flat=True)) == ["held"]

    holds.hold_release(hold=hold, reason="settled", released_by=None)
    holds.hold_release(hold=hold, reason="settled", released_by=None)
    purge("--erase")
    assert not Message.objects.exclude(text=None).exists()
    assert list(
        Event.objects.filter(subject_type="hold").order_by("recorded_at", "id").values_list("kind", flat=True)
    ) == [
        "hold.placed",
        "hold.released",
    ]


def test_holds_by_employee_and_period() -> None:
    employee = factories.employee("mio")
    mine = factories.conversation(employee)
    recorded = factories.recorded(mine, "x", direction="outbound", occurred_at=timezone.now(), employee_id=employee.pk)
    holds.hold_place(name="h", reason="r", placed_by=None, employee=employee, since=timezone.now() - timedelta(hours=1))

    assert not holds.not_held(Message.objects.filter(pk=recorded.pk)).exists()


def test_a_hold_without_a_scope_is_refused() -> None:
    with pytest.raises(InvalidMessage, match="covers"):
        holds.hold_place(name="all", reason="?", placed_by=None)


def test_a_customers_data_can_be_exported(conversation: Conversation, tmp_path: Any) -> None:
    say(conversation, "お部屋の鍵をなくしました")
    other = factories.conversation(factories.employee("ren"), name="Emma Wright")
    say(other, "not Hanako's")
    target = tmp_path / "hanako.json"

    call_command("contact_guard_subject", conversation.customer.key, disclose=target, stdout=io.StringIO())

    exported = json.loads(target.read_text(encoding="utf-8"))
    assert [row["text"] for row in exported["messages"]] == ["お部屋の鍵をなくしました"]
    assert exported["customer"]["addresses"] == [{"kind": "email", "value": "hanako@gmail.com"}]
    assert Event.objects.filter(kind="subject.disclosed").count() == 1
    with pytest.raises(CommandError, match="exists"):
        call_command("contact_guard_subject", conversation.customer.key, disclose=target, stdout=io.StringIO())


def test_a_customer_is_erased_except_for_messages_on_hold(conversation: Conversation) -> None:
    say(conversation, "forget me")
    hold = holds.hold_place(name="h", reason="r", placed_by=None, customer=conversation.customer)
    arguments = {"erase": True, "reason": "asked by letter", "stdout": io.StringIO(), "stderr": io.StringIO()}

    with pytest.raises(SystemExit) as ended:
        call_command("contact_guard_subject", str(conversation.customer.pk), **arguments)
    assert ended.value.code == 2
    assert Message.objects.get().text == "forget me"

    holds.hold_release(hold=hold, reason="r", released_by=None)
    call_command("contact_guard_subject", str(conversation.customer.pk), **arguments)
    assert Message.objects.get().text is None
    customer = Customer.objects.get(pk=conversation.customer.pk)
    assert (customer.name, customer.addresses.count()) == ("—", 0)
