"""Who somebody turned out to be: strangers identified, addresses shared or passed on, customers merged in the host."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import pytest
from django.utils import timezone

from crm_contact_guard import crm
from crm_contact_guard.channels.base import ContactEvent, ContactKind
from crm_contact_guard.conversations.identity import customer_identify
from crm_contact_guard.directory.mirror import customer_for
from crm_contact_guard.directory.models import Customer, Employee
from crm_contact_guard.directory_sync import sync_all
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.exports import subject
from crm_contact_guard.intake.events import take
from crm_contact_guard.privacy.holds import hold_place, not_held
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.sealing.sealer import seal
from crm_contact_guard.verification.whole_record import verify
from tests import factories
from tests.host.models import Client

pytestmark = pytest.mark.django_db


def writes(address: str, text: str = "Hello", **more: object) -> Message:
    return factories.received(text, channel="email", from_address=address, occurred_at=timezone.now(), **more)


def officer() -> Employee:
    """Who may say of anybody who they are."""
    return Employee.objects.filter(role="compliance").first() or factories.employee("kai", job="compliance")


def link(conversation: Conversation, customer: Customer) -> Conversation:
    customer_identify(conversation=conversation, customer=customer, actor=officer())
    return Conversation.objects.get(pk=conversation.pk)


def test_a_stranger_is_identified_with_all_that_was_said(clerk: Employee) -> None:
    first = writes("h.sato@work.example", "I can't find my booking")
    hanako = factories.customer("Hanako Sato", manager=clerk, email="hanako@gmail.com")

    talk = link(first.conversation, hanako)

    assert (talk.customer, talk.employee, talk.team) == (hanako, clerk, clerk.teams.get())
    event = Event.objects.get(kind="conversation.linked")
    assert (event.actor, json.loads(event.data)["to"]) == (str(officer().pk), str(hanako.pk))
    again = writes("h.sato@work.example", "Me again")
    assert (again.conversation, again.customer) == (talk, hanako)
    customer_for(hanako.key)
    assert hanako.addresses.filter(value="h.sato@work.example", learnt=True).exists(), "a sync takes it away"


def test_recorded_messages_keep_their_customer_and_the_export_contains_all(clerk: Employee) -> None:
    first = writes("h.sato@work.example", "I can't find my booking")
    stranger = first.customer
    hanako = factories.customer("Hanako Sato", manager=clerk)
    link(first.conversation, hanako)
    writes("h.sato@work.example", "Me again")

    assert Message.objects.get(pk=first.pk).customer == stranger
    assert subject.overview(hanako).messages == 2
    assert subject.overview(stranger).messages == 0
    hold = hold_place(name="Case", reason="court", placed_by=None, customer=hanako)
    assert not not_held(Message.objects.all()).exists()
    hold.delete()
    assert subject.erase(hanako, reason="asked").erased == 2
    assert not Customer.objects.filter(name__contains="work.example").exists()


def test_a_wrong_choice_is_put_right(clerk: Employee) -> None:
    first = writes("h.sato@work.example")
    wrong = factories.customer("Hanae Sato", manager=clerk)
    right = factories.customer("Hanako Sato", manager=clerk)
    link(first.conversation, wrong)

    talk = link(first.conversation, right)

    assert talk.customer == right
    assert not wrong.addresses.exists()
    assert writes("h.sato@work.example").customer == right
    assert Event.objects.filter(kind="conversation.linked").count() == 2


def test_a_conversation_with_a_known_customer_can_not_be_linked(clerk: Employee) -> None:
    talk = factories.conversation(clerk, email="emma@gmail.com", name="Emma Wright")
    hanako = factories.customer("Hanako Sato", manager=clerk)

    with pytest.raises(InvalidMessage, match="whom the CRM knows"):
        link(talk, hanako)
    stranger = writes("x@y.example").conversation
    with pytest.raises(InvalidMessage, match="a customer of the CRM"):
        link(stranger, writes("z@y.example").customer)
    elsewhere = factories.customer("Abroad")
    Customer.objects.filter(pk=elsewhere.pk).update(tenant="other")
    elsewhere.refresh_from_db()
    with pytest.raises(InvalidMessage):
        link(stranger, elsewhere)


def test_customers_who_share_an_address_keep_their_conversations(clerk: Employee) -> None:
    hanako = factories.conversation(clerk, email="family@sato.example", name="Hanako Sato", channel="email")
    taro = factories.conversation(clerk, email="family@sato.example", name="Taro Sato", channel="email")

    by_token = writes("family@sato.example", reply_tokens=(hanako.reply_token,))
    assert by_token.conversation == hanako
    assert writes("family@sato.example").conversation == hanako, "the one talked to last"
    writes("family@sato.example", reply_tokens=(taro.reply_token,))
    assert writes("family@sato.example").conversation == taro

    moved = link(hanako, taro.customer)
    assert moved.customer == taro.customer, "it may have been the other one all along"


def test_an_address_that_moved_leads_to_its_new_owner(clerk: Employee) -> None:
    hanako = Client.objects.create(full_name="Hanako Sato", emails="desk@corp.example", manager=clerk.user)
    taro = Client.objects.create(full_name="Taro Ito", emails="", manager=clerk.user)
    sync_all()
    before = writes("desk@corp.example")
    take(ContactEvent(
        channel="email", event_id="c1", address="desk@corp.example", kind=ContactKind.STOP, occurred_at=timezone.now()
    ))  # fmt: skip
    hanako.emails, taro.emails = "", "desk@corp.example"
    hanako.save()
    taro.save()
    sync_all()

    after = writes("desk@corp.example")

    assert before.customer.name == "Hanako Sato"
    assert Message.objects.get(pk=before.pk).customer == before.customer
    assert after.customer.name == "Taro Ito"
    assert after.conversation != before.conversation
    own = after.customer.addresses.get()
    assert own.opted_out_by == "stop", "the mailbox asked for silence, whoever the CRM says has it"


class Merging(crm.DeclarativeAdapter):
    """A host that remembers what a customer was merged into."""

    merged: ClassVar[dict[str, str]] = {}

    def merged_into(self, key: str) -> str:
        return self.merged.get(key, "")


def test_customers_merged_in_the_host_go_on_as_one(clerk: Employee, settings: Any) -> None:
    double = Client.objects.create(full_name="H. Sato", emails="old@sato.example", manager=clerk.user)
    kept = Client.objects.create(full_name="Hanako Sato", emails="hanako@gmail.com", manager=clerk.user)
    sync_all()
    first = writes("old@sato.example", "Before the merge")
    old_key = str(double.pk)
    double.delete()
    kept.emails = "hanako@gmail.com, old@sato.example"
    kept.save()
    Merging.merged = {old_key: str(kept.pk)}
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "CRM_ADAPTER": f"{__name__}.Merging"}

    sync_all()
    sync_all()

    later = writes("old@sato.example", "After the merge")
    hanako = customer_for(kept)
    assert later.conversation == first.conversation
    assert later.customer == hanako
    assert Message.objects.get(pk=first.pk).customer.key == old_key
    assert subject.overview(hanako).messages == 2
    assert Event.objects.filter(kind="customer.merged").count() == 1
    seal()
    assert verify().holds


def test_a_customer_that_is_gone_stays_on_record_and_may_be_identified(clerk: Employee) -> None:
    gone = Client.objects.create(full_name="H. Sato", emails="old@sato.example", manager=clerk.user)
    factories.customer("Hanako Sato", manager=clerk)
    sync_all()
    first = writes("old@sato.example")
    gone.delete()
    sync_all()

    assert not Customer.objects.get(pk=first.customer_id).active
    assert writes("old@sato.example").conversation != first.conversation
    hanako = Customer.objects.get(name="Hanako Sato")
    assert link(first.conversation, hanako).customer == hanako
