"""What the directory's sync costs a customer: all new, nothing changed, a tenth changed, all lost; and its memory.

    python benchmarks/bench_directory_sync.py [--customers 50000] [--database sqlite|postgresql|mariadb …]

Limits, beside Django's plainest way over the same rows in the same run: all new ≤ 4 times ``bulk_create`` of the rows
that are there then; nothing changed ≤ 10 times reading the host's rows and ours (most of the rest is telephone numbers,
which are read anew each time), and a tenth of what customers cost that are mirrored one by one. 50 MB more after all
customers than after the first thousand. Target: 0.5 ms a customer. Exit code 1 when a limit is not kept.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from record_database import SETTINGS, fresh, one_process_each, peak_memory

#: Customers that are mirrored one by one, as a page does that shows one.
ALONE = 300
OF_WRITING, OF_READING, OF_ALONE, MORE_MEMORY = 4.0, 10.0, 0.1, 50.0
Cost = tuple[float, float]


def people(first: int, last: int) -> None:
    """Customers of the host with a mail address and a telephone each; fifty employees in five teams look after them."""
    from tests.host.models import Branch, Client, User

    if not first:
        branches = Branch.objects.bulk_create(Branch(title=f"Branch {number}") for number in range(5))
        User.objects.bulk_create(
            User(email=f"user{number}@kaede.example", display_name=f"User {number}", branch=branches[number % 5])
            for number in range(50)
        )
    users = list(User.objects.all())
    for start in range(first, last, 1000):
        Client.objects.bulk_create(
            Client(
                full_name=f"Customer {number}",
                emails=f"c{number}@mail.example",
                mobile=f"090-{1000 + number // 10000:04}-{number % 10000:04}",
                manager=users[number % 50],
            )
            for number in range(start, min(start + 1000, last))
        )


def cost(work: Callable[[], object], count: int) -> Cost:
    """Milliseconds a customer: of the clock, and of this process's own time, as it would be on an idle machine."""
    began = time.perf_counter(), time.process_time()
    work()
    return 1000 * (time.perf_counter() - began[0]) / count, 1000 * (time.process_time() - began[1]) / count


def measure(database: str, customers: int) -> list[str]:
    """Print the figures; return the limits that were missed."""
    missed: list[str] = []

    def told(what: str, found: Cost, beside: str = "", limit: float = 0.0, times: float = 0.0) -> None:
        line = f"  {what:36} {found[0]:7.3f} ms, of its own time {found[1]:6.3f}"
        if beside:
            # A server's part is in the clock alone.
            ratio = found[0] / limit
            line += f"; {ratio:.2f} of {beside} (limit {times:g})"
            missed.extend([f"{database}: {what}"] if ratio > times else [])
        print(line)

    with fresh(database) as connection:
        from django.db import transaction

        from crm_contact_guard.directory import mirror, writing
        from crm_contact_guard.directory.models import Address, Customer
        from crm_contact_guard.directory_sync import sync_all
        from tests.host.models import Client

        def everything() -> None:
            for model in (Client, Customer, Address):
                for _ in model._default_manager.all().iterator(chunk_size=500):
                    pass

        def write(batches: list[list[Any]]) -> None:
            for batch in batches:
                with transaction.atomic():
                    type(batch[0]).objects.bulk_create(batch)

        print(f"\n{database}, {customers:,} customers of two addresses, load {os.getloadavg()[0]:.1f}; each:")
        people(0, 1000)
        sync_all()
        before = peak_memory()
        people(1000, customers)
        new = cost(sync_all, customers - 1000)
        more = peak_memory() - before
        same = cost(sync_all, customers)
        reading = cost(everything, customers)
        some = [client.pk for client in Client.objects.all()[: customers // 10]]
        for start in range(0, len(some), 500):
            Client.objects.filter(pk__in=some[start : start + 500]).update(full_name="Somebody else")
        tenth = cost(sync_all, customers)
        clients = [str(pk) for pk in Client.objects.values_list("pk", flat=True)[:ALONE]]
        alone = cost(lambda: [mirror.customer_for(key) for key in clients], ALONE)
        Client.objects.exclude(pk__in=clients).delete()
        lost = cost(sync_all, customers - ALONE)
        rows = [list(model._default_manager.all()) for model in (Customer, Address)]
        Address.objects.all().delete()
        Customer.objects.all().delete()
        batches = [
            found[start : start + writing.BATCH] for found in rows for start in range(0, len(found), writing.BATCH)
        ]
        writing = cost(lambda: write(batches), customers)

        told("all new", new, "bulk_create", writing[0], OF_WRITING)
        told("nothing changed", same, "reading both", reading[0], OF_READING)
        told("the same beside one by one", same, "one by one", alone[0], OF_ALONE)
        told("a tenth changed", tenth)
        told("all lost", lost)
        told("one by one", alone)
        print(f"  memory {more:.0f} MB more than after the first thousand (limit {MORE_MEMORY:g})")
        missed.extend([f"{database}: memory"] if more > MORE_MEMORY else [])
        connection.close()
    return missed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--customers", type=int, default=50_000)
    parser.add_argument("--database", choices=list(SETTINGS), action="append")
    options = parser.parse_args()
    chosen = options.database or list(SETTINGS)
    if len(chosen) > 1:
        one_process_each(__file__, chosen, ["--customers", str(options.customers)])
        return
    missed = measure(chosen[0], options.customers)
    if missed:
        sys.exit(f"Missed: {', '.join(missed)}")


if __name__ == "__main__":
    main()
