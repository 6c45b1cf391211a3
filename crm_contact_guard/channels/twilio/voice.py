"""Phone calls through Twilio: call log, click-to-call, and forwarding of inbound calls.

See https://www.twilio.com/docs/voice.
"""

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

from crm_contact_guard.channels.address_kinds import PHONE, e164
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
from crm_contact_guard.channels.twilio import inbound
from crm_contact_guard.channels.twilio.account import TwilioAccount
from crm_contact_guard.exceptions import ChannelError, InvalidPayload

#: Outcome of a finished call or leg, see https://www.twilio.com/docs/voice/api/call-resource#call-status-values
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
    """Phone. Options in addition to those of ``TwilioAccount``:

    * ``FROM``: the company's number, shown to both sides.
    * ``EMPLOYEE_PHONES``: maps the host user's key to a phone number. Either a mapping or the dotted path of a
      function.
    * ``FORWARD_TO``: the number that answers customers' calls to ``FROM``.
    """

    address_kind = PHONE
    verbose_name = _("Telephone")
    supports_text = False
    supports_calls = True
    supports_carried = True

    def send(self, message: OutboundMessage) -> Receipt:
        """Raise ChannelError, since a phone line can't send text."""
        raise ChannelError("a phone line can't send text", permanent=True)

    # --- outbound calls
    def call(self, call: PhoneCall) -> Receipt:
        """Call the employee and, once they answer, the customer. Both see only the company's number.

        The TwiML with the customer's number is part of the request, so that none of our URLs discloses the number.
        """
        from twilio.twiml.voice_response import Dial, VoiceResponse  # noqa: PLC0415 - comes with the extra

        customer = e164(call.to_address)
        if not customer:
            raise ChannelError("the customer's phone number is invalid", permanent=True)
        employee = e164(self.telephone_of(call.employee_key))
        if not employee:
            raise ChannelError(f"no phone number is configured for {call.employee_name}", permanent=True)
        url, company = self.webhook_url(), str(self.options["FROM"])
        if not url:
            raise ChannelError("no public URL for Twilio's status callbacks", permanent=True)
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
        """Return the employee's phone number, or "" if none is configured."""
        phones: Any = self.options.get("EMPLOYEE_PHONES") or {}
        if isinstance(phones, str):
            return str(import_string(phones)(employee_key) or "")
        return str(phones.get(employee_key, ""))

    # --- webhooks
    def parse(self, request: HttpRequest) -> Sequence[CarrierEvent]:
        """Parse a finished call. Earlier statuses are ignored."""
        values = self.values(request)
        now = timezone.now()
        status = (values.get("DialCallStatus") or values.get("CallStatus") or "").lower()
        if not values.get("CallSid") or status not in {*_OUTCOME, *_UNDER_WAY}:
            return [inbound.unknown(values, self.alias, now, f"not a call with a known status ({status or 'none'})")]
        if status in _UNDER_WAY:
            return []
        if values.get("Direction") == "inbound":
            # A forwarded call always ends as "completed"; only the forwarded leg shows whether it was answered.
            forwarded = "DialCallStatus" in values
            return [self._received(values, status, now)] if forwarded or not self.options.get("FORWARD_TO") else []
        return self._placed(values, status, request.GET, now)

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Forward a customer's call to ``FORWARD_TO``, which sees the company's number.

        If there is no call to forward, return an empty document.
        """
        try:
            values = self.values(request)
        except InvalidPayload:
            return super().answer(request)
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
        """Return the event for a call requested by an employee.

        The leg to the customer is recorded. The leg to the employee is recorded only if it failed, since there is no
        leg to the customer then.
        """
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

    # --- reconciliation
    def carried(self, day: date) -> Iterable[Carried]:
        """Return the day's calls to and from the company's number. The second leg of a call is part of that call."""
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
        """Yield one call as in its webhook.

        Without a second leg, a forwarded inbound call was missed. An outbound call without one reached no customer and
        is skipped.
        """
        received = row.direction == "inbound"
        decisive = leg if leg is not None else row
        status, started = str(decisive.status or ""), row.start_time or row.date_created
        if status not in _OUTCOME or started is None or (leg is None and not received):
            return
        outcome = CallOutcome.MISSED if leg is None and self.options.get("FORWARD_TO") else _OUTCOME[status]
        seconds = _seconds(decisive.duration) if outcome is CallOutcome.ANSWERED else 0
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
        """Run the account's checks. E124: no company number. E125: neither employees' phones nor ``FORWARD_TO``."""
        yield from super().check()
        where = f'CONTACT_GUARD["CHANNELS"]["{self.alias}"]["OPTIONS"]'
        if not e164(str(self.options.get("FROM", ""))):
            hint = "The company's number as +819012345678."
            yield Error(f'{where}["FROM"] is not a phone number', hint=hint, id="crm_contact_guard.E124")
        phones = self.options.get("EMPLOYEE_PHONES")
        if not phones and not self.options.get("FORWARD_TO"):
            yield Error(
                f'{where} has neither "EMPLOYEE_PHONES" nor "FORWARD_TO"',
                hint="EMPLOYEE_PHONES: who can call customers. FORWARD_TO: who answers customers' calls.",
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
    """Return the callback's ``Timestamp`` (RFC 2822), but not later than the current time.

    If it is missing or invalid, return the current time.
    """
    try:
        timestamp = parsedate_to_datetime(values.get("Timestamp", ""))
    except ValueError:
        return now
    return min(timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC), now)
