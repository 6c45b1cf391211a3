"""Many demands at night. The hour alone means nothing: a customer may write whenever they like.

It takes several messages that press for an answer, written in one night while the employee doesn't work.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Final
from uuid import UUID

from crm_contact_guard.detection.demands import demands
from crm_contact_guard.policy import hours
from crm_contact_guard.record.models import Direction, Message

#: The night in the employee's time zone.
_FROM, _UNTIL = time(22), time(5)
#: A consultation opens after this many messages in one night, if at least ``DEMANDS`` of them demand something.
MESSAGES: Final = 5
DEMANDS: Final = 3


def night_demands(message: Message) -> list[UUID]:
    """Return the IDs of the demanding messages of this night, oldest first; none if the night is as others are.

    Runs no query by day, or if the message itself demands nothing.
    """
    employee = message.conversation.employee
    if message.direction != Direction.INBOUND or employee is None or not demands(message.text or ""):
        return []
    local = message.occurred_at.astimezone(hours.zone(employee))
    if _UNTIL <= local.time() < _FROM or hours.is_working_time(employee, message.occurred_at):
        return []
    began = _began(local)
    rows = Message.objects.filter(
        conversation__customer=message.conversation.customer_id,
        direction=Direction.INBOUND,
        occurred_at__gte=began,
        occurred_at__lte=message.occurred_at,
    )
    said = list(rows.order_by("occurred_at", "id").values_list("pk", "text")[:200])
    pressing = [key for key, text in said if demands(text or "")]
    return pressing if len(said) >= MESSAGES and len(pressing) >= DEMANDS else []


def _began(local: datetime) -> datetime:
    day = local.date() if local.time() >= _FROM else local.date() - timedelta(days=1)
    return datetime.combine(day, _FROM, tzinfo=local.tzinfo)
