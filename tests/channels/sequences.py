"""State machines for hypothesis: sequences of actions of carriers, workers and databases, and the expected end state.

``InboundSequence``: a carrier sends each event once, repeatedly, early, late, and while the database fails.
``OutboundSequence``: workers send messages while the carrier refuses, fails or loses responses, and while the database
fails before or after the request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, ClassVar

from django.db import OperationalError, connection, transaction
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from crm_contact_guard.channels.base import DeliveryStatus
from crm_contact_guard.delivery import attempts, outbox
from crm_contact_guard.delivery.models import Carrier, Delivery
from crm_contact_guard.record.models import Event, Message
from crm_contact_guard.verification.whole_record import verify
from tests import factories
from tests.channels.carrier_server import HANG_UP, Answer, CarrierServer
from tests.channels.cases import Payload, SendCases, WebhookCases

#: Texts and ids are unique, since a carrier's server is used by many sequences.
_NUMBERS = count(1)
#: The statement at which the database fails; later ones are never reached.
_AT = st.integers(0, 30)
#: Failures after which it is unknown whether the carrier accepted the message.
_SILENCES = ("answer lost", "request lost", "answer garbled")


@contextmanager
def failing_database(at: int) -> Iterator[None]:
    """The database fails once at statement number ``at``; work committed before stays."""
    left = at

    def execute(call: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal left
        if not sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            left -= 1
            if left == -1:
                raise OperationalError("the database went away")
        return call(sql, params, many, context)

    try:
        with connection.execute_wrapper(execute):
            yield
    except OperationalError:
        # The failed statement never reached the database, so the example's transaction is still usable.
        transaction.set_rollback(False)


class _Sequence(RuleBasedStateMachine):
    """Each example runs in its own transaction."""

    def __init__(self) -> None:
        super().__init__()
        self._example = transaction.atomic()
        self._example.__enter__()

    def teardown(self) -> None:
        try:
            self.verify()
            report = verify()
            assert report.holds, report.faults
        finally:
            transaction.set_rollback(True)
            self._example.__exit__(None, None, None)

    def verify(self) -> None:
        raise NotImplementedError


@dataclass
class Notification:
    """An event that the carrier may send several times."""

    payload: Payload
    kind: str
    key: str
    arrived: bool = False


class InboundSequence(_Sequence):
    """``cases`` supplies the carrier's requests."""

    cases: ClassVar[WebhookCases]

    def __init__(self) -> None:
        super().__init__()
        self.talk = self.cases.open_talk()
        self.notifications: list[Notification] = []
        self.sent: dict[str, Message] = {}

    # --- events at the carrier
    def _tell(self, payload: Payload | None, kind: str, key: str) -> None:
        if payload is not None:
            self.notifications.append(Notification(payload, kind, key))

    @rule()
    def customer_writes(self) -> None:
        number = next(_NUMBERS)
        text = f"inbound {number}"
        self._tell(self.cases.payload(event_id=f"e{number}", text=text), "message", text)

    @rule()
    def something_new_happens(self) -> None:
        number = next(_NUMBERS)
        self._tell(self.cases.unknown(event_id=f"u{number}"), "unknown", f"u{number}")

    @precondition(lambda self: not self._has("out"))
    @rule()
    def customer_stops(self) -> None:
        self._tell(self.cases.opt_out(event_id=f"o{next(_NUMBERS)}"), "out", "")

    @precondition(lambda self: self._has("out") and not self._has("in"))
    @rule()
    def customer_returns(self) -> None:
        self._tell(self.cases.opt_in(event_id=f"o{next(_NUMBERS)}"), "in", "")

    def _has(self, kind: str) -> bool:
        return any(notification.kind == kind for notification in self.notifications)

    # No message after an opt-out; another test covers that.
    @precondition(lambda self: not self._has("out"))
    @rule(read=st.booleans())
    def a_message_is_delivered_or_read(self, read: bool) -> None:
        number = next(_NUMBERS)
        carrier_id = f"{self.cases.alias}-sent-{number}"
        message = self._write(carrier_id)
        payload = self.cases.status(event_id=f"s{number}", carrier_id=carrier_id, read=read)
        if payload is None:
            return
        self.sent[carrier_id] = message
        self._tell(payload, "read" if read else "delivered", carrier_id)
        if read:
            number = next(_NUMBERS)
            earlier = self.cases.status(event_id=f"s{number}", carrier_id=carrier_id, read=False)
            self._tell(earlier, "delivered", carrier_id)

    def _write(self, carrier_id: str) -> Message:
        message = factories.sent(self.talk, carrier_id, self.cases.alias)
        claim = outbox.claim(message.pk, idempotent=True)
        assert claim is not None
        outbox.succeeded(claim, DeliveryStatus.SENT, carrier_id=carrier_id)
        return message

    # --- requests to the webhook
    @precondition(lambda self: self.notifications)
    @rule(data=st.data())
    def the_carrier_calls(self, data: st.DataObject) -> None:
        self._call(data.draw(st.sampled_from(self.notifications)))

    @precondition(lambda self: self.notifications)
    @rule(data=st.data(), at=_AT)
    def the_carrier_calls_while_the_database_fails(self, data: st.DataObject, at: int) -> None:
        notification = data.draw(st.sampled_from(self.notifications))
        with failing_database(at):
            self._call(notification)

    def _call(self, notification: Notification) -> None:
        if notification.kind == "in" and not all(other.arrived for other in self.notifications if other.kind == "out"):
            # Some carriers send no times, so the order of receipt counts.
            return
        assert self.cases.call(notification.payload).status_code == self.cases.answer_status
        notification.arrived = True

    # --- invariants
    def verify(self) -> None:
        self._holds(notification for notification in self.notifications if notification.arrived)
        # A carrier repeats a request until it gets a good response; then nothing is left.
        for notification in self.notifications:
            self._call(notification)
        self._holds(iter(self.notifications))
        stopped = self._has("out") and not self._has("in")
        kind = self.cases.channel.address_kind
        assert self.talk.customer.addresses.filter(kind=kind, opted_out_at__isnull=not stopped).exists()
        rows = Message.objects.count(), Event.objects.count()
        for notification in reversed(self.notifications):
            self._call(notification)
        assert (Message.objects.count(), Event.objects.count()) == rows

    def _holds(self, arrived: Iterator[Notification]) -> None:
        recorded = list(arrived)
        inbound = list(Message.objects.filter(direction="inbound").values_list("text", flat=True))
        for notification in recorded:
            if notification.kind == "message":
                assert inbound.count(notification.key) == 1
        unknown = sum(notification.kind == "unknown" for notification in recorded)
        assert Event.objects.filter(kind="carrier.unknown").count() >= unknown
        written = {notification.key for notification in self.notifications if notification.kind == "message"}
        assert len([text for text in inbound if text in written]) == len(set(inbound) & written)
        for carrier_id, message in self.sent.items():
            kinds = {notification.kind for notification in recorded if notification.key == carrier_id}
            state = Delivery.objects.get(message=message).state
            # A failed request may have been recorded; a successful one must have been.
            assert _RANK[state] >= max((_RANK[kind] for kind in kinds), default=0)
            for kind in ("delivered", "read"):
                events = Event.objects.filter(message=message, kind=f"delivery.{kind}").count()
                assert (kind in kinds) <= events <= 1


_RANK = {"sent": 0, "delivered": 1, "read": 2}


class OutboundSequence(_Sequence):
    """``cases`` makes the carrier fail; ``server`` is the carrier."""

    cases: ClassVar[SendCases]
    server: ClassVar[CarrierServer]

    def __init__(self) -> None:
        super().__init__()
        self.talk = self.cases.open_talk()
        self.written: dict[str, Message] = {}

    @rule()
    def employee_writes(self) -> None:
        text = f"Your room {next(_NUMBERS)} is ready."
        self.written[text] = factories.sent(self.talk, text, self.cases.alias)

    @precondition(lambda self: self.written)
    @rule(data=st.data(), how=st.sampled_from(["well", "error", "refused", "busy", *_SILENCES]))
    def a_worker_hands_over(self, data: st.DataObject, how: str) -> None:
        message = self._due(data)
        self._arrange(how)
        attempts.deliver(message.pk)
        self._calm()

    @precondition(lambda self: self.written)
    @rule(data=st.data(), at=_AT, how=st.sampled_from(["well", "answer lost"]))
    def a_worker_hands_over_while_the_database_fails(self, data: st.DataObject, at: int, how: str) -> None:
        message = self._due(data)
        self._arrange(how)
        with failing_database(at):
            attempts.deliver(message.pk)
        self._calm()

    @precondition(lambda self: self.written)
    @rule(data=st.data())
    def a_second_worker_asks_at_once(self, data: st.DataObject) -> None:
        attempts.deliver(data.draw(st.sampled_from(list(self.written.values()))).pk)

    @precondition(lambda self: self.written)
    @rule(data=st.data())
    def the_carrier_loses_every_answer(self, data: st.DataObject) -> None:
        message = self._due(data)
        self.server.failures.extend([HANG_UP] * 20)
        self.server.accepts_before_failing = True
        self._until_the_end(message)
        self._calm()

    def _until_the_end(self, message: Message) -> None:
        for _ in range(20):
            row = Delivery.objects.get(message=message)
            if row.due_at is None and row.lease_until is None:
                return
            self._time_passes(message)
            attempts.deliver(message.pk)
        raise AssertionError("it is tried for ever")

    def _arrange(self, how: str) -> None:
        match how:
            case "error":
                self.cases.fail_temporarily()
            case "refused":
                self.cases.fail_permanently()
            case "busy":
                self.cases.be_busy()
            case "answer garbled":
                self.server.accepts_before_failing = True
                self.server.failures.append(Answer(200, b"\0<html>", {"Content-Type": "text/html"}))
            case "answer lost" | "request lost":
                self.server.accepts_before_failing = how == "answer lost"
                self.server.failures.append(HANG_UP)

    def _calm(self) -> None:
        self.server.failures.clear()
        self.server.accepts_before_failing = False

    def _due(self, data: st.DataObject) -> Message:
        message: Message = data.draw(st.sampled_from(list(self.written.values())))
        self._time_passes(message)
        return message

    @staticmethod
    def _time_passes(message: Message) -> None:
        """Until the next attempt is due, the lease of a dead worker has expired, and the carrier accepts requests."""
        past = timezone.now() - timezone.timedelta(seconds=1)
        rows = Delivery.objects.filter(message=message)
        rows.filter(due_at__isnull=False).update(due_at=past)
        rows.filter(lease_until__isnull=False).update(lease_until=past)
        Carrier.objects.all().delete()

    def verify(self) -> None:
        for message in self.written.values():
            self._until_the_end(message)
        idempotent = self.cases.channel.supports_idempotency
        taken = self.cases.arrived()
        for text, message in self.written.items():
            times = sum(text in one for one in taken)
            row = Delivery.objects.get(message=message)
            attempts = Event.objects.filter(message=message, kind="delivery.attempted")
            assert row.state in ("sent", "failed", "uncertain")
            assert times <= attempts.count() == row.attempts
            if row.state == "sent":
                assert times >= 1
                assert row.carrier_id
            if row.state == "failed":
                assert times == 0, "it says that nothing arrived, but it did"
            if idempotent:
                assert times <= 1
            else:
                marked = sum('"possible_duplicate":true' in (one.data or "") for one in attempts)
                assert times <= 1 + marked, "it may have come twice, and nothing says so"
