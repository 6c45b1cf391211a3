"""Sequences of what carriers, workers and databases do to us, for hypothesis to draw, and what must be true at the end.

``InboundSequence``: a carrier calls with each event once, often, early, late, and into a failing database.
``OutboundSequence``: workers hand messages over while the carrier refuses, breaks, or loses its answers, and while the
database fails before or after the carrier was asked.
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

from crm_contact_guard import gateway
from crm_contact_guard.delivery import attempts
from crm_contact_guard.delivery.models import Carrier, Delivery
from crm_contact_guard.record.models import Event, Message
from tests import factories
from tests.channels.carrier_server import HANG_UP, Answer, CarrierServer
from tests.channels.cases import Payload, SendCases, WebhookCases

#: Texts and ids never come twice, since a carrier's server lives through many sequences.
_NUMBERS = count(1)
#: Which statement of a call the database fails at; later ones are never reached.
_AT = st.integers(0, 30)
#: Ways in which nobody learns whether the carrier has the message.
_SILENCES = ("answer lost", "request lost", "answer garbled")


@contextmanager
def failing_database(at: int) -> Iterator[None]:
    """The database goes away at statement number ``at``, once; what was done outside a transaction stays done."""
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
        # No statement that failed has reached the database, so the example's own transaction is sound.
        transaction.set_rollback(False)


class _Sequence(RuleBasedStateMachine):
    """Each example has the database to itself."""

    def __init__(self) -> None:
        super().__init__()
        self._example = transaction.atomic()
        self._example.__enter__()

    def teardown(self) -> None:
        try:
            self.verify()
        finally:
            transaction.set_rollback(True)
            self._example.__exit__(None, None, None)

    def verify(self) -> None:
        raise NotImplementedError


@dataclass
class Told:
    """Something that the carrier tells us, however often."""

    payload: Payload
    kind: str
    key: str
    arrived: bool = False


class InboundSequence(_Sequence):
    """``cases`` says how the carrier speaks."""

    cases: ClassVar[WebhookCases]

    def __init__(self) -> None:
        super().__init__()
        self.talk = self.cases.open_talk()
        self.told: list[Told] = []
        self.sent: dict[str, Message] = {}

    # --- what happens at the carrier
    def _tell(self, payload: Payload | None, kind: str, key: str) -> None:
        if payload is not None:
            self.told.append(Told(payload, kind, key))

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
        return any(told.kind == kind for told in self.told)

    # Who has stopped is not written to; that is another test.
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
        assert self.talk.employee is not None
        at = factories.office_time()
        message = gateway.send(
            actor=self.talk.employee, conversation=self.talk, text=carrier_id, channel=self.cases.alias, occurred_at=at
        ).message
        assert message is not None
        Delivery.objects.filter(message=message).update(state="sent", carrier_id=carrier_id, due_at=None)
        return message

    # --- what reaches us
    @precondition(lambda self: self.told)
    @rule(data=st.data())
    def the_carrier_calls(self, data: st.DataObject) -> None:
        self._call(data.draw(st.sampled_from(self.told)))

    @precondition(lambda self: self.told)
    @rule(data=st.data(), at=_AT)
    def the_carrier_calls_while_the_database_fails(self, data: st.DataObject, at: int) -> None:
        told = data.draw(st.sampled_from(self.told))
        with failing_database(at):
            self._call(told)

    def _call(self, told: Told) -> None:
        if told.kind == "in" and not all(one.arrived for one in self.told if one.kind == "out"):
            # Some carriers give no times, so that their order is all there is.
            return
        assert self.cases.call(told.payload).status_code == self.cases.answer_status
        told.arrived = True

    # --- what must be true
    def verify(self) -> None:
        self._holds(told for told in self.told if told.arrived)
        # A carrier repeats what it got no good answer to, until it does; then nothing is left to tell.
        for told in self.told:
            self._call(told)
        self._holds(iter(self.told))
        stopped = self._has("out") and not self._has("in")
        kind = self.cases.channel.address_kind
        assert self.talk.customer.addresses.filter(kind=kind, opted_out_at__isnull=not stopped).exists()
        rows = Message.objects.count(), Event.objects.count()
        for told in reversed(self.told):
            self._call(told)
        assert (Message.objects.count(), Event.objects.count()) == rows

    def _holds(self, arrived: Iterator[Told]) -> None:
        known = list(arrived)
        inbound = list(Message.objects.filter(direction="inbound").values_list("text", flat=True))
        for told in known:
            if told.kind == "message":
                assert inbound.count(told.key) == 1
        assert Event.objects.filter(kind="carrier.unknown").count() >= sum(told.kind == "unknown" for told in known)
        written = {told.key for told in self.told if told.kind == "message"}
        assert len([text for text in inbound if text in written]) == len(set(inbound) & written)
        for carrier_id, message in self.sent.items():
            kinds = {told.kind for told in known if told.key == carrier_id}
            state = Delivery.objects.get(message=message).state
            # A call that failed half-way may have been recorded all the same, never the other way round.
            assert _RANK[state] >= max((_RANK[kind] for kind in kinds), default=0)
            for kind in ("delivered", "read"):
                events = Event.objects.filter(message=message, kind=f"delivery.{kind}").count()
                assert (kind in kinds) <= events <= 1


_RANK = {"sent": 0, "delivered": 1, "read": 2}


class OutboundSequence(_Sequence):
    """``cases`` says how the carrier fails; ``server`` is the carrier."""

    cases: ClassVar[SendCases]
    server: ClassVar[CarrierServer]

    def __init__(self) -> None:
        super().__init__()
        self.talk = self.cases.open_talk()
        self.written: dict[str, Message] = {}

    @rule()
    def employee_writes(self) -> None:
        assert self.talk.employee is not None
        text = f"Your room {next(_NUMBERS)} is ready."
        message = gateway.send(
            actor=self.talk.employee,
            conversation=self.talk,
            text=text,
            channel=self.cases.alias,
            occurred_at=factories.office_time(),
        ).message
        assert message is not None
        self.written[text] = message

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
                self.cases.fail_for_now()
            case "refused":
                self.cases.fail_for_good()
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
        """Until the next attempt is due, the lease of a dead worker is over, and the carrier wants calls again."""
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
