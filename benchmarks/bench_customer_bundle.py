"""Time and queries of one customer's bundle in records of growing size.

    python benchmarks/bench_customer_bundle.py [--rows 10000 100000 1000000] [--database sqlite|postgresql|mariadb …]

The customer has 200 messages and as many events, spread evenly over the record. Targets: ≤ 2 s, and ≤ 1.5 times the
time of the smallest record in the largest. The bundle is verified each time.
"""

from __future__ import annotations

import argparse
import io
import statistics
import time
from itertools import chain, islice
from typing import Any

from record_database import filled, fresh, one_process_each, talk

OWN = 200
ROUNDS = 5
#: Rows per seal: a sealer that runs every second on a busy day.
SEALED = 50


def fill(rows: int, crowd: Any, customer: Any) -> None:
    """Record and seal ``rows`` messages, of which ``OWN`` are the customer's."""
    from crm_contact_guard.record.models import Message
    from crm_contact_guard.record.recording import record_event
    from crm_contact_guard.sealing.sealer import seal

    # One at a time, so that each gets its ID when it is written.
    own = chain.from_iterable(batch for _ in range(OWN) for batch in filled(customer, 1))
    step = max(1, rows // OWN // 2000) if rows > OWN * 2000 else 1
    share = -(-OWN * 2000 // rows)
    for number, batch in enumerate(filled(crowd, rows - OWN)):
        Message.objects.bulk_create(batch)
        if number % step == 0:
            for message in islice(own, share):
                Message.objects.bulk_create([message])
                record_event(kind="bench", subject_type="message", subject_id=message.pk, message=message,
                             conversation=customer, actor_type="system")  # fmt: skip
        seal(batch=SEALED)


def measure(customer: Any) -> tuple[float, int, int]:
    """Median seconds of a bundle, its queries and its rows."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from crm_contact_guard.exports.bundle import Filters, bundle_write
    from crm_contact_guard.proof.bundle import verify_bundle
    from crm_contact_guard.sealing.keys import verification_keys

    times, queries, rows = [], 0, 0
    for _ in range(ROUNDS):
        file, began = io.BytesIO(), time.perf_counter()
        with CaptureQueriesContext(connection) as captured:
            written = bundle_write(file, filters=Filters(customer=customer.customer_id))
        times.append(time.perf_counter() - began)
        queries, rows = len(captured), written.messages + written.events
        report = verify_bundle(file, pinned=verification_keys())
        assert report.holds, report.faults
        assert written.messages == OWN
    return statistics.median(times), queries, rows


def run(database: str, sizes: list[int]) -> None:
    with fresh(database) as connection:
        crowd, customer, filled_up = talk("crowd"), talk("one"), 0
        first = None
        for size in sizes:
            if filled_up:
                customer = talk(f"one of {size}")
            fill(size - filled_up, crowd, customer)
            filled_up = size
            with connection.cursor() as cursor:
                if connection.vendor != "mysql":
                    cursor.execute("ANALYZE")
            seconds, queries, rows = measure(customer)
            first = first or seconds
            print(
                f"{database}, {size:,} messages: {seconds * 1000:,.0f} ms, {queries} queries for {rows} rows; "
                f"{seconds / first:.2f} × the smallest record",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--database", nargs="+", default=["sqlite", "postgresql", "mariadb"])
    options = parser.parse_args()
    if len(options.database) > 1:
        one_process_each(__file__, options.database, ["--rows", *map(str, options.rows)])
    else:
        run(options.database[0], sorted(options.rows))


if __name__ == "__main__":
    main()
