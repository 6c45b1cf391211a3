"""Telephone calls by Twilio: a log of every call, click-to-call, and the desk that answers
(https://www.twilio.com/docs/voice)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from django.core.checks import CheckMessage, Error
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.channels.base import (
    CallEvent,
    CallOutcome,
    Carried,
    CarrierEvent,
    DeliveryStatus,
    OutboundMessage,
    PhoneCall,
    Receipt,
)
from crm_contact_guard.channels.phones import e164
from crm_contact_guard.channels.twilio import inbound
from crm_contact_guard.channels.twilio.account import TwilioAccount
from crm_contact_guard.exceptions import ChannelError

#: How a finished call or leg ended, by https://www.twilio.com/docs/voice/api/call-resource#call-status-values
_OUTCOME = {
    "completed": CallOutcome.ANSWERED,
    "answered": CallOutcome.ANSWERED,
    "busy": CallOutcome.BUSY,
    "no-answer": CallOutcome.MISSED,
    "canceled": CallOutcome.MISSED,
    "failed": CallOutcome.FAILED,
}
_UNDER_WAY = frozenset({"queued", "initiated", "ringing", "in-progress"})
_PAGE = 1000


class VoiceChannel(TwilioAccount):
    """Telephone. Options beside those of the account: ``FROM`` (the company's number, which both sides see),
    ``EMPLOYEE_PHONES`` (host user's key → telephone, or the dotted path of a function from key to telephone),
    ``FORWARD_TO`` (who answers when customers call ``FROM``)."""

    address_kind = "phone"
    verbose_name = _("Telephone")
    supports_text = False
    supports_calls = True
    supports_carried = True

    def send(self, message: OutboundMessage) -> Receipt:
        """A telephone line carries no written message."""
        raise ChannelError("a telephone line carries no text", permanent=True)

    # --- out
    def call(self, call: PhoneCall) -> Receipt:
        """Ring the employee; once answered, ring the customer and join both. Both see the company's number only, and
        what is to be dialled goes to Twilio with the request, so that no address of ours gives a number away."""
        from twilio.twiml.voice_response import Dial, VoiceResponse  # noqa: PLC0415 - comes with the extra

        customer = e164(call.to_address)
        if not customer:
            raise ChannelError("the customer's number is not a telephone number", permanent=True)
        employee = e164(self.telephone_of(call.employee_key))
        if not employee:
            raise ChannelError(f"no telephone is known for {call.employee_name}", permanent=True)
        url, company = self.webhook_url(), str(self.options["FROM"])
        if not url:
            raise ChannelError("no public address to which Twilio could tell of the call", permanent=True)
        dial = Dial(caller_id=company)
        dial.number(
            customer,
            status_callback=f"{url}?{urlencode({'call': call.call_id})}",
            status_callback_event="completed",
        )
        script = VoiceResponse()
        script.append(dial)
        placed = self.ask(
            lambda client: client.calls.create(
                to=employee,
                from_=company,
                twiml=str(script),
                status_callback=f"{url}?{urlencode({'call': call.call_id, 'leg': 'employee'})}",
                status_callback_event=["completed"],
            )
        )
        return Receipt(status=DeliveryStatus.SENT, carrier_id=placed.sid or "")

    def telephone_of(self, employee_key: str) -> str:
        """Where the employee is rung."""
        known: Any = self.options.get("EMPLOYEE_PHONES") or {}
        if isinstance(known, str):
            return str(import_string(known)(employee_key) or "")
        return str(known.get(employee_key, ""))

    # --- in
    def parse(self, request: HttpRequest) -> Sequence[CarrierEvent]:
        """A call that ended; what goes before is progress only, and changes nothing that is recorded."""
        values = self.values(request)
        now = timezone.now()
        status = (values.get("DialCallStatus") or values.get("CallStatus") or "").lower()
        if not values.get("CallSid") or status not in {*_OUTCOME, *_UNDER_WAY}:
            return [inbound.unknown(values, self.alias, now, f"not a call with a known status ({status or 'none'})")]
        if status in _UNDER_WAY:
            return []
        if values.get("Direction") == "inbound":
            # With a desk behind it, the outer call always "completed"; the leg to the desk tells whether it was taken.
            told_by_desk = "DialCallStatus" in values
            return [self._received(values, status, now)] if told_by_desk or not self.options.get("FORWARD_TO") else []
        return self._placed(values, status, request.GET, now)

    def answer(self, request: HttpRequest) -> HttpResponse:
        """When a customer rings: join the desk, which sees the company's number. Else nothing more to do."""
        values = self.values(request)
        ringing = values.get("Direction") == "inbound" and "DialCallStatus" not in values
        desk = e164(str(self.options.get("FORWARD_TO") or ""))
        if not (ringing and desk and values.get("CallStatus") == "ringing"):
            return super().answer(request)
        from twilio.twiml.voice_response import Dial, VoiceResponse  # noqa: PLC0415 - comes with the extra

        dial = Dial(caller_id=str(self.options["FROM"]), action=self.webhook_url(request), method="POST")
        dial.number(desk)
        script = VoiceResponse()
        script.append(dial)
        return HttpResponse(str(script), content_type="text/xml")

    def _received(self, values: Mapping[str, str], status: str, now: datetime) -> CallEvent:
        seconds = _seconds(values.get("DialCallDuration") or values.get("CallDuration"))
        return CallEvent(
            channel=self.alias,
            event_id=f"{values['CallSid']}:ended",
            carrier_id=values["CallSid"],
            address=values.get("From", ""),
            inbound=True,
            started_at=_ended_at(values, now) - timedelta(seconds=seconds),
            seconds=seconds if _OUTCOME[status] is CallOutcome.ANSWERED else 0,
            outcome=_OUTCOME[status],
            detail={"carrier_status": status},
        )

    def _placed(
        self, values: Mapping[str, str], status: str, query: Mapping[str, Any], now: datetime
    ) -> list[CarrierEvent]:
        """A call that an employee asked for: the leg to the customer is the call. Of the leg to the employee only
        counts that it came to nothing, since then there is no other."""
        to_employee = query.get("leg") == "employee"
        if to_employee and _OUTCOME[status] is CallOutcome.ANSWERED:
            return []
        seconds = 0 if to_employee else _seconds(values.get("CallDuration"))
        outcome = CallOutcome.FAILED if to_employee else _OUTCOME[status]
        sid = values.get("ParentCallSid") or values["CallSid"]
        return [
            CallEvent(
                channel=self.alias,
                event_id=f"{sid}:ended",
                carrier_id=sid,
                address="" if to_employee else values.get("To", ""),
                inbound=False,
                started_at=_ended_at(values, now) - timedelta(seconds=seconds),
                seconds=seconds if outcome is CallOutcome.ANSWERED else 0,
                outcome=outcome,
                call_id=str(query.get("call", "")),
                detail={"carrier_status": status, "leg": "employee" if to_employee else "customer"},
            )
        ]

    # --- completeness
    def carried(self, day: date) -> Iterable[Carried]:
        """The day's calls to and from the company's number; the leg to a desk or customer belongs to its outer call."""
        return self.ask(
            lambda client: self._calls(list(client.calls.stream(start_time=day.isoformat(), page_size=_PAGE)))
        )

    def _calls(self, rows: list[Any]) -> list[Carried]:
        legs = {row.parent_call_sid: row for row in rows if row.parent_call_sid}
        return [
            carried
            for row in rows
            if not row.parent_call_sid and self.options["FROM"] in (row.to, row._from)
            for carried in self._carried(row, legs.get(row.sid))
        ]

    def _carried(self, row: Any, leg: Any) -> Iterator[Carried]:
        """One outer call as its webhook would have told it. Without a leg behind it nobody was reached: a customer who
        hung up before the desk rang has called in vain, an employee who did has called nobody."""
        received = row.direction == "inbound"
        told = leg if leg is not None else row
        status, started = str(told.status or ""), row.start_time or row.date_created
        if status not in _OUTCOME or started is None or (leg is None and not received):
            return
        outcome = CallOutcome.MISSED if leg is None and self.options.get("FORWARD_TO") else _OUTCOME[status]
        seconds = _seconds(told.duration) if outcome is CallOutcome.ANSWERED else 0
        event = CallEvent(
            channel=self.alias,
            event_id=f"{row.sid}:ended",
            carrier_id=str(row.sid),
            address=str((row._from if received else leg.to) or ""),
            inbound=received,
            started_at=started,
            seconds=seconds,
            outcome=outcome,
            detail={"carrier_status": status},
        )
        yield Carried(carrier_id=event.carrier_id, inbound=received, occurred_at=started, event=event)

    # --- settings
    def check(self) -> Iterator[CheckMessage]:
        """As the account's; E124: no number of the company; E125: nobody's telephone is known, so that no employee can
        call, and no desk answers."""
        yield from super().check()
        where = f'CONTACT_GUARD["CHANNELS"]["{self.alias}"]["OPTIONS"]'
        if not e164(str(self.options.get("FROM", ""))):
            hint = "The company's number as +819012345678."
            yield Error(f'{where}["FROM"] is not a telephone number', hint=hint, id="crm_contact_guard.E124")
        phones = self.options.get("EMPLOYEE_PHONES")
        if not phones and not self.options.get("FORWARD_TO"):
            yield Error(
                f'{where} has neither "EMPLOYEE_PHONES" nor "FORWARD_TO"',
                hint="Who can call, by the host user's key; who answers.",
                id="crm_contact_guard.E125",
            )
        if isinstance(phones, str):
            try:
                import_string(phones)
            except ImportError as error:
                yield Error(f'{where}["EMPLOYEE_PHONES"]: {error}', id="crm_contact_guard.E125")


def _seconds(value: object) -> int:
    text = str(value or "")
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def _ended_at(values: Mapping[str, str], now: datetime) -> datetime:
    """``Timestamp`` of the call back (RFC 2822); ours where it is missing, unreadable or ahead."""
    try:
        told = parsedate_to_datetime(values.get("Timestamp", ""))
    except ValueError:
        return now
    return min(told if told.tzinfo else told.replace(tzinfo=UTC), now)
