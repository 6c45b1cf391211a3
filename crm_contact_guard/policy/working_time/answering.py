"""Judges the time of a message that an employee is about to send: state, quiet hours, and earliest sending time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from crm_contact_guard.policy.working_time.calendar import HORIZON, Employee, State
from crm_contact_guard.policy.working_time.quiet import QUICK, Customer, Side, talk

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Answer:
    """The judgement on the time of a message. Times are aware, in UTC.

    ``next_open_at`` is None if the employee is already working or on call, in an emergency, and if the employee doesn't
    work within HORIZON days. ``earliest_send_at`` is None if there is no minute within HORIZON days at which the
    employee works and the customer isn't in quiet hours.
    """

    state: State
    after_hours: bool
    next_open_at: datetime | None
    customer_quiet: bool
    quiet_ends_at: datetime | None
    first_by: Side
    minutes_since_customer: int | None
    quick_answer: bool
    quiet_applies: bool
    earliest_send_at: datetime | None


def answer(
    employee: Employee,
    sent_at: datetime,
    *,
    customer: Customer | None = None,
    messages: Iterable[tuple[Side, datetime]] = (),
    emergency: bool = False,
) -> Answer:
    """Judge a message from ``employee``. Without ``customer``, no quiet hours apply. Raise UnknownCalendar."""
    state = employee.state(sent_at)
    after_hours = state.is_after_hours and not emergency
    quiet_ends_at = customer.quiet_until(sent_at) if customer else None
    current = talk(messages, sent_at)
    since = sent_at - current.customer_at if current.customer_at else None
    quick = since is not None and since <= QUICK
    quiet_applies = quiet_ends_at is not None and not emergency and not quick
    return Answer(
        state=state,
        after_hours=after_hours,
        next_open_at=None if emergency or state.is_open else employee.next_open(sent_at),
        customer_quiet=quiet_ends_at is not None,
        quiet_ends_at=quiet_ends_at,
        first_by=current.first_by,
        minutes_since_customer=since // _MINUTE if since is not None else None,
        quick_answer=quick,
        quiet_applies=quiet_applies,
        earliest_send_at=_earliest(employee, customer, sent_at) if after_hours or quiet_applies else sent_at,
    )


def _earliest(employee: Employee, customer: Customer | None, sent_at: datetime) -> datetime | None:
    """Return the first instant from ``sent_at`` on when the employee works and the customer isn't in quiet hours."""
    at: datetime | None = sent_at
    until = sent_at + timedelta(days=HORIZON)
    while at is not None and at < until:
        at = employee.next_open(at)
        quiet_ends_at = customer.quiet_until(at) if customer and at else None
        if quiet_ends_at is None:
            return at if at is not None and at < until else None
        at = quiet_ends_at
    return None
