"""A company's life: random honest operations of every sort, by the app's own services."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.core import mail
from django.test import override_settings
from django.utils import timezone

from crm_contact_guard import crm, gateway
from crm_contact_guard.channels import registry
from crm_contact_guard.channels.base import (
    CallEvent,
    CallOutcome,
    ContactEvent,
    ContactKind,
    DeliveryStatus,
    FileIn,
    InboundMessage,
    MediaRef,
    StatusEvent,
)
from crm_contact_guard.conversations import lifecycle, typing_marks
from crm_contact_guard.conversations.chat_links import chat_link_create, chat_link_revoke
from crm_contact_guard.conversations.identity import customer_identify
from crm_contact_guard.conversations.models import ChatLink
from crm_contact_guard.delivery import health, outbox, waits
from crm_contact_guard.delivery.models import Delivery, Wait
from crm_contact_guard.directory.mirror import customer_for
from crm_contact_guard.directory.models import Customer, Employee
from crm_contact_guard.directory_sync import sync_all
from crm_contact_guard.exceptions import AlreadyClaimed, AlreadyClosed, InvalidMessage, NotPermitted, NotPossible
from crm_contact_guard.exports import subject
from crm_contact_guard.files import media
from crm_contact_guard.files.models import Media
from crm_contact_guard.intake import backfill, events
from crm_contact_guard.notices import outbox as notices
from crm_contact_guard.notices.models import Notice
from crm_contact_guard.notices.preferences import Choice, preference_set
from crm_contact_guard.policy import rulebook
from crm_contact_guard.policy.closing import answering
from crm_contact_guard.policy.decision import Override, OverrideCode
from crm_contact_guard.policy.versions.models import PolicyVersion
from crm_contact_guard.policy.versions.publishing import shadow_start, version_publish, version_withdraw
from crm_contact_guard.privacy.erasing import erase_messages
from crm_contact_guard.privacy.holds import hold_place, hold_release
from crm_contact_guard.privacy.models import LegalHold
from crm_contact_guard.record.models import Conversation, Message
from crm_contact_guard.sending import releasing
from crm_contact_guard.sending.recalling import recall
from crm_contact_guard.supervision import inspection
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.review import alert_claim, alert_close, alert_reopen, alert_undo
from crm_contact_guard.tokens.issuing import token_create, token_find, token_revoke
from tests import factories
from tests.host.models import Branch, Client, User
from tests.verification.helping import Helping
from tests.verification.supervising import Supervising

TEXTS = (
    "Thank you.", "LINE交換しませんか？ID: hanako_22", "電話は090-1234-5678です", "See you at seven.", "",
    "How about dinner together sometime, just the two of us? I am on LINE.", "No, please write to the hotel.",
)  # fmt: skip


class Merging(crm.DeclarativeAdapter):
    """A host that remembers what a customer was merged into."""

    merged: ClassVar[dict[str, str]] = {}

    def merged_into(self, key: str) -> str:
        return self.merged.get(key, "")


class Company(Helping, Supervising):
    """Draws operations. ``done`` counts those that the app did not refuse."""

    def __init__(self, seed: int) -> None:
        self.draw, self.number, self.done = random.Random(seed), 0, Counter[str]()
        self.branches = [factories.team(name, head=f"{name}-head", deputy=f"{name}-deputy") for name in ("spa", "bar")]
        self.clerks = [factories.employee(f"clerk{number}", branch=self.branches[number % 2]) for number in range(4)]
        factories.employee("officer", job="compliance")
        for number in range(4):
            self._client(number)
        sync_all()
        self.operations: list[Callable[[], Any]] = [
            getattr(self, name)
            for name in sorted({*vars(Company), *vars(Helping), *vars(Supervising)})
            if callable(getattr(self, name)) and not name.startswith("_") and name != "live"
        ]

    def live(self, steps: int) -> None:
        for _ in range(steps):
            self.number += 1
            operation = self.draw.choice(self.operations)
            with suppress(NotPermitted, InvalidMessage, AlreadyClaimed, AlreadyClosed, NotPossible, IndexError):
                operation()
                self.done[operation.__name__] += 1

    # --- drawing

    def _client(self, number: int) -> Client:
        manager = self.draw.choice(self.clerks).user
        return Client.objects.create(
            full_name=f"Client {number}",
            emails=f"c{number}@post.example",
            mobile=f"090-{number:04}-0001",
            manager=manager,
        )

    def _one(self, rows: Any) -> Any:
        return self.draw.choice(list(rows.order_by("-pk")[:12]))

    def _address(self) -> str:
        known = self._one(Client.objects.all()).emails.split(", ")[-1]
        return self.draw.choice([known, f"stranger{self.draw.randrange(6)}@post.example"])

    def _officer(self) -> Employee:
        return Employee.objects.get(role="compliance")

    # --- talk

    def customer_writes(self) -> None:
        self._inbound(())

    def customer_writes_with_a_file(self) -> None:
        self._inbound((FileIn(name="a.txt", content_type="text/plain", content=b"a"),))

    def _inbound(self, files: tuple[FileIn, ...]) -> None:
        received = gateway.receive(
            InboundMessage(
                channel="email",
                event_id=f"event {self.number - self.draw.randrange(2)}",
                from_address=self._address(),
                from_name=self.draw.choice(["", "Hanako"]),
                subject=self.draw.choice(["", "Your stay"]),
                text=self.draw.choice(TEXTS),
                occurred_at=timezone.now() - timedelta(minutes=self.draw.randrange(3000)),
                files=files,
                media=(MediaRef(ref="m", name="m.jpg"),) if self.draw.random() < 0.2 else (),
            )
        )
        if received.message is not None:
            inspection.inspect(received.message)
            with override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, "AUTO_ANSWER": True}):
                answering.answer(received.message)

    def employee_writes(self) -> None:
        talk = self._one(Conversation.objects.exclude(employee=None))
        sent = gateway.send(
            actor=talk.employee,
            conversation=talk,
            channel=self.draw.choice(["email", "chat"]),
            text=self.draw.choice(TEXTS),
            override=Override(code=OverrideCode.OTHER, text="Asked by phone") if self.draw.random() < 0.5 else None,
            emergency=self.draw.random() < 0.1,
            idempotency_key=self.draw.choice(["", f"key {self.draw.randrange(50)}"]),
        )
        if sent.message is not None and not sent.repeated:
            inspection.inspect(sent.message)

    def employee_schedules(self) -> None:
        talk = self._one(Conversation.objects.exclude(employee=None))
        soon, late = timedelta(milliseconds=20), timedelta(days=2)
        gateway.send(
            actor=talk.employee,
            conversation=talk,
            channel=self.draw.choice(["email", "chat"]),
            text=self.draw.choice(TEXTS),
            send_at=timezone.now() + self.draw.choice([soon, late]),
            replaces=self.draw.choice([None, self._one(Message.objects.all())]),
            idempotency_key=self.draw.choice(["", f"key {self.draw.randrange(50)}"]),
        )

    def employee_recalls(self) -> None:
        wait = self._one(Wait.objects.select_related("message__employee"))
        recall(actor=wait.message.employee, message_id=wait.pk)

    def the_time_comes(self) -> None:
        for message_id in waits.due(timezone.now()):
            if releasing.release(message_id) == "released":
                inspection.inspect(Message.objects.get(pk=message_id))

    def employee_takes_over(self) -> None:
        talk = self._one(Conversation.objects.filter(employee=None))
        lifecycle.take_over(talk, self.draw.choice(self.clerks))

    def employee_reads(self) -> None:
        lifecycle.mark_read(self._one(Conversation.objects.all()))

    def note_is_taken(self) -> None:
        talk = self._one(Conversation.objects.exclude(employee=None))
        gateway.note(actor=talk.employee, conversation=talk, kind="call", text="Rang.", occurred_at=timezone.now())

    def call_comes_in(self) -> None:
        outcome = self.draw.choice([CallOutcome.ANSWERED, CallOutcome.MISSED])
        events.take(
            CallEvent(
                channel="email", event_id=f"call {self.number}", carrier_id=f"call {self.number}",
                address=self._address(), inbound=self.draw.random() < 0.7, started_at=timezone.now(), seconds=3,
                outcome=outcome,
            )
        )  # fmt: skip

    def old_message_is_imported(self) -> None:
        client = self._one(Client.objects.all())
        backfill.record_old(
            backfill.OldMessage(
                key=f"old {self.number}", customer_key=str(client.pk), employee_key=self.draw.choice(self.clerks).key,
                direction="inbound", channel="fax", text="Old.",
                sent_at=timezone.now() - timedelta(days=self.draw.randrange(1, 900)),
            )
        )  # fmt: skip

    # --- delivery

    def worker_delivers(self) -> None:
        row = self._one(Delivery.objects.filter(state__in=("queued", "sending")))
        past = timezone.now() - timedelta(seconds=1)
        Delivery.objects.filter(pk=row.pk, state="queued").update(due_at=past)
        Delivery.objects.filter(pk=row.pk, state="sending").update(lease_until=past)
        claim = outbox.claim(row.pk, idempotent=self.draw.random() < 0.5)
        if claim is None:
            return
        match self.draw.randrange(5):
            case 0 | 1:
                outbox.succeeded(claim, DeliveryStatus.SENT, carrier_id=f"carrier {self.number}")
            case 2:
                outbox.failed(claim, permanent=self.draw.random() < 0.3, error="refused", retry_after=900)
            case 3:
                outbox.failed(claim, permanent=False, uncertain=True, error="no answer", detail={"error": "gone"})

    def carrier_reports(self) -> None:
        row = self._one(Delivery.objects.exclude(attempts=0).select_related("message"))
        events.take(
            StatusEvent(
                channel=row.message.channel,
                event_id=f"status {self.number}",
                carrier_id=row.carrier_id or f"late {self.number}",
                message_id=str(row.pk),
                status=self.draw.choice([DeliveryStatus.DELIVERED, DeliveryStatus.READ, DeliveryStatus.FAILED]),
                occurred_at=timezone.now(),
            )
        )

    def carrier_is_busy(self) -> None:
        carrier = registry.channel("email")
        health.wait_until(carrier)
        health.failed("email", OSError("gone"))
        outbox.postpone(self._one(Delivery.objects.all()).pk, timezone.now() + timedelta(minutes=4))
        if self.draw.random() < 0.5:
            health.answered("email")

    def address_changes_its_mind(self) -> None:
        kind = self.draw.choice(list(ContactKind))
        events.take(
            ContactEvent(
                channel="email", event_id=f"contact {self.number}", address=self._address(), kind=kind,
                occurred_at=timezone.now() - timedelta(minutes=self.draw.randrange(9)),
            )
        )  # fmt: skip

    def file_is_given_up(self) -> None:
        row = self._one(Media.objects.all())
        media._later(row, "gone", permanent=self.draw.random() < 0.5)

    def file_arrives(self) -> None:
        row = self._one(Media.objects.select_related("message__conversation"))
        media._record(row, FileIn(name="m.jpg", content_type="image/jpeg", content=b"m"))

    # --- supervision

    def message_is_inspected_again(self) -> None:
        inspection.inspect(self._one(Message.objects.all()), notify=self.draw.random() < 0.5)

    def alert_is_claimed(self) -> None:
        alert = self._one(Alert.objects.exclude(addressee=None))
        alert_claim(alert_id=alert.pk, reviewer=self.draw.choice([alert.addressee, self._officer()]))

    def alert_is_closed(self) -> None:
        alert = self._one(Alert.objects.all())
        comment = self.draw.choice(["", "Talked it over", " spaces "])
        alert_close(alert_id=alert.pk, reviewer=self._officer(), resolution="coaching", comment=comment)

    def alert_is_opened_again(self) -> None:
        alert = self._one(Alert.objects.all())
        alert_reopen(alert_id=alert.pk, reviewer=self._officer(), reason=self.draw.choice(["", "A second look"]))

    def close_is_taken_back(self) -> None:
        alert_undo(alert_id=self._one(Alert.objects.filter(status="closed")).pk, reviewer=self._officer())

    def notice_is_chosen(self) -> None:
        cadence = self.draw.choice(["at_once", "threshold", "hourly", "daily", "weekly"])
        chosen = Choice(cadence=cadence, quiet=self.draw.random() < 0.5, count=2)
        preference_set(actor=self._officer(), topic=self.draw.choice(["alert", "alert_serious"]), chosen=chosen)

    def notice_is_sent(self) -> None:
        notices.notice_send(self._one(Notice.objects.filter(state="queued")).pk)
        mail.outbox.clear()

    # --- links, tokens, holds

    def chat_link_is_made(self) -> None:
        talk = self._one(Conversation.objects.exclude(employee=None))
        link, _token = chat_link_create(conversation=talk, created_by=self.draw.choice([None, talk.employee]))
        typing_marks.customer_types(link)
        typing_marks.employee_types(talk)

    def chat_link_is_revoked(self) -> None:
        link = self._one(ChatLink.objects.exclude(created_by=None))
        chat_link_revoke(link=link, revoked_by=link.created_by)

    def token_is_made_and_used(self) -> None:
        made = token_create(employee=self.draw.choice(self.clerks), name="reports")
        token_find(made.text)
        if self.draw.random() < 0.5:
            token_revoke(made.token.pk)

    def hold_is_placed(self) -> None:
        talk = self._one(Conversation.objects.all())
        hold_place(name="Case", reason="Court", placed_by=None, customer=talk.customer, until=timezone.now())

    def hold_is_released(self) -> None:
        for hold in LegalHold.objects.filter(released_at=None):
            hold_release(hold=hold, reason="Settled", released_by=self._officer())

    # --- rules

    def rules_are_published(self) -> None:
        rules = replace(rulebook.from_settings(), review_share=self.draw.random())
        when = timezone.now() + timedelta(days=self.draw.choice([0, 3]))
        version_publish(rules=rules, reason="Yearly review", published_by=self._officer(), valid_from=when)

    def rules_run_silently(self) -> None:
        shadow_start(rules=rulebook.from_settings(), reason="Try them", started_by=self._officer())

    def rules_are_withdrawn(self) -> None:
        row = self._one(PolicyVersion.objects.all())
        version_withdraw(version_id=row.pk, reason="Not needed", withdrawn_by=self._officer())

    # --- erasures

    def message_is_erased(self) -> None:
        basis = self.draw.choice(["request", "retention"])
        erase_messages(Message.objects.filter(pk=self._one(Message.objects.all()).pk), basis=basis)

    def customer_is_forgotten(self) -> None:
        if self.draw.random() < 0.3:
            subject.erase(self._one(Customer.objects.all()), reason="asked", actor=self._officer())

    # --- the host

    def client_changes(self) -> None:
        client = self._one(Client.objects.all())
        client.full_name = f"Client {self.number}"
        client.emails = self.draw.choice(
            [f"n{self.number}@post.example", f"{client.emails}, x{self.number}@post.example"]
        )
        client.manager = self.draw.choice(self.clerks).user
        client.save()
        customer_for(client)

    def client_comes_and_another_is_merged(self) -> None:
        kept, gone = self._client(self.number), self._one(Client.objects.all())
        if gone != kept:
            if self.draw.random() < 0.5:
                Merging.merged[str(gone.pk)] = str(kept.pk)
            gone.delete()
        sync_all()

    def employee_changes(self) -> None:
        user = self._one(User.objects.filter(job="clerk"))
        user.branch, user.display_name = self.draw.choice([None, *Branch.objects.all()]), f"Clerk {self.number}"
        user.is_active = self.draw.random() < 0.8
        user.save()
        sync_all()
        User.objects.update(is_active=True)
        sync_all()
        self.clerks = list(Employee.objects.filter(role="employee", active=True))

    def stranger_is_identified(self) -> None:
        talk = self._one(Conversation.objects.all())
        known = self._one(Customer.objects.filter(key__isnull=False, active=True))
        customer_identify(conversation=talk, customer=known, actor=None, reason="said so")
