"""What the time of a message adds to the decision before sending, on PostgreSQL, in a conversation of many messages.

The company sets all that costs: holidays, quiet hours, a roster of a year, leave, and entries on a page. Compared with
the scan of the text, which the decision needs anyway. Limit: 15 ms more (median), at most three queries, and none for
each rule. Exit code 1 if a limit is exceeded.

    python benchmarks/bench_decision.py [--database sqlite|postgresql|mariadb] [--messages 100000]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from record_database import filled, fresh, talk

LIMIT_MS, LIMIT_QUERIES = 15.0, 3
ROUNDS = 200
TEXT = "明日の朝食は7時からご用意しております。ご不明な点がございましたらフロントまでお申し付けください。"


def prepared(messages: int) -> Any:
    """A conversation without a pause, of an employee with every kind of calendar."""
    from django.conf import settings
    from django.utils import timezone

    from crm_contact_guard.hosting import database
    from crm_contact_guard.policy.calendars.storing import calendar_store
    from crm_contact_guard.policy.hours import warm_up
    from crm_contact_guard.record.models import Message

    settings.CONTACT_GUARD |= {
        "HOLIDAYS": ["JP", "GB-ENG"],
        "QUIET_HOURS": {"daily": "21:00-08:00", "days": ["sun"], "holidays": ["JP"]},
    }
    warm_up()
    conversation = talk()
    today = timezone.now().date()
    conversation.customer.timezone = "Asia/Tokyo"
    calendar_store(
        tenant="",
        owner=conversation.employee,
        source="icalendar",
        calendar={"roster": roster(today)},
        version=0,
    )
    calendar_store(
        tenant="",
        owner=conversation.employee,
        source="page",
        calendar={"leave": [[str(today + timedelta(days=day))] * 2 for day in range(1, 300, 2)]},
        version=0,
    )
    for batch in filled(conversation, messages):
        for message in batch[1::2]:
            message.direction = "outbound"
        Message._base_manager.bulk_create(batch)
    with database.connection().cursor() as cursor:
        cursor.execute(
            "ANALYZE" if database.connection().vendor != "mysql" else f"ANALYZE TABLE {Message._meta.db_table}"
        )
    return conversation


def roster(today: date) -> dict[str, Any]:
    days = {str(today + timedelta(days=day)): [["09:00", "12:00"], ["13:00", "18:00"]] for day in range(0, 365, 2)}
    return {"from": min(days), "to": max(days), "days": days}


def median_ms(act: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """The median of the rounds in milliseconds, after one round to warm up."""
    act()
    took = []
    for _ in range(ROUNDS):
        began = clock()
        act()
        took.append((clock() - began) * 1000)
    return statistics.median(took)


def measure(database: str, messages: int) -> bool:
    with fresh(database) as connection:
        from django.test.utils import CaptureQueriesContext
        from django.utils import timezone

        from crm_contact_guard import detection
        from crm_contact_guard.detection.types import Direction
        from crm_contact_guard.policy import moments
        from crm_contact_guard.policy.company import company

        conversation = prepared(messages)

        def judge() -> object:
            return moments.moment_of(conversation.employee, timezone.now(), conversation=conversation)

        def scan() -> object:
            return detection.scan(TEXT, direction=Direction.OUTBOUND, company=company())

        took, peer, own = median_ms(judge), median_ms(scan), median_ms(judge, time.process_time)
        with CaptureQueriesContext(connection) as asked:
            judge()
        holds = took <= LIMIT_MS and len(asked) <= LIMIT_QUERIES
        print(
            f"{database}, {messages} messages: {took:.2f} ms for the time of a message (limit {LIMIT_MS:g}), {own:.2f} ms of "
            f"them in this process; "
            f"{len(asked)} queries (limit {LIMIT_QUERIES}); the scan of the text takes {peer:.2f} ms"
        )
        return holds


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgresql", "mariadb"), default="postgresql")
    parser.add_argument("--messages", type=int, default=100_000)
    given = parser.parse_args()
    sys.exit(not measure(given.database, given.messages))
