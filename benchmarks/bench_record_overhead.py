"""Cost of recording a message, compared with a plain create of the same columns and with audit packages.

    python benchmarks/bench_record_overhead.py [--rows 2000] [--rounds 5] [--database postgresql …]

Targets on PostgreSQL, with a sealer running: throughput ≥ 0.95 of plain with one writer, ≥ 0.90 with four and in bulk,
p99 ≤ 1.15 ×, and above django-pghistory, django-simple-history and django-auditlog in the same run. Contenders
alternate; ratios are computed within a round, medians over the rounds.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import time
from collections.abc import Callable
from typing import Any

from record_database import SETTINGS, TEXT, filled, fresh, one_process_each, talk

PEERS = {"plain": "Plain", "pghistory": "PgHistory", "simple-history": "SimpleHistory", "auditlog": "AuditLog"}
APPS = ("pgtrigger", "pghistory", "simple_history", "auditlog", "record_peers")


def columns(conversation: Any) -> dict[str, Any]:
    """Values for a plain model: all columns of a recorded message, with nothing computed."""
    from django.utils import timezone

    from crm_contact_guard.directory.ids import uuid7

    now = timezone.now()
    return {
        "id": uuid7(), "conversation": conversation, "customer_id": conversation.customer_id,
        "employee_id": conversation.employee_id, "direction": "inbound", "channel": "email", "occurred_at": now,
        "recorded_at": now, "carrier_id": "<1@mail.example.com>", "subject": "Re: ご予約について", "text": TEXT,
        "from_name": "佐藤花子", "from_address": "guest@example.com", "to_name": "Aoi", "salt": b"s" * 144,
        "digests": b"d" * 320, "leaf_hash": b"h" * 32, "format": 1,
    }  # fmt: skip


def one_by_one(contender: str, conversation: Any) -> Callable[[], Any]:
    from django.utils import timezone
    from record_peers import models

    from crm_contact_guard.record.recording import record_message

    def recorded() -> Any:
        return record_message(
            conversation=conversation, direction="inbound", channel="email", occurred_at=timezone.now(), text=TEXT,
            employee_id=conversation.employee_id, subject="Re: ご予約について", from_name="佐藤花子",
            from_address="guest@example.com", to_name="Aoi", carrier_id="<1@mail.example.com>",
        )  # fmt: skip

    if contender == "recorded":
        return recorded
    manager = getattr(models, PEERS[contender]).objects
    return lambda: manager.create(**columns(conversation))


def write(contender: str, conversation: Any, rows: int, start: Any, out: Any) -> None:
    act, times = one_by_one(contender, conversation), []
    act()
    start.wait()
    for _ in range(rows):
        began = time.perf_counter()
        act()
        times.append(time.perf_counter() - began)
    out.put(times)


def seal_on() -> None:
    from crm_contact_guard.sealing.sealer import seal

    while True:
        seal()
        time.sleep(1)


def fork(target: Any, *args: Any) -> Any:
    from django.db import connections

    connections.close_all()
    process = multiprocessing.get_context("fork").Process(target=target, args=args, daemon=True)
    process.start()
    return process


def singles(contender: str, conversation: Any, rows: int, writers: int) -> tuple[float, float]:
    """Rows per second of all writers together, and the 99th percentile of one create in ms."""
    context = multiprocessing.get_context("fork")
    start, out = context.Barrier(writers + 1), context.Queue()
    children = [fork(write, contender, conversation, rows // writers, start, out) for _ in range(writers)]
    start.wait()
    began = time.perf_counter()
    times = [one for _ in children for one in out.get()]
    seconds = time.perf_counter() - began
    for child in children:
        child.join()
    times.sort()
    return len(times) / seconds, times[len(times) * 99 // 100] * 1000


def bulk(contender: str, conversation: Any, rows: int) -> tuple[float, float]:
    """Rows per second in batches of 500; packages without bulk hooks use their documented helper."""
    from record_peers import models
    from simple_history.utils import bulk_create_with_history

    from crm_contact_guard.record.models import Message

    began = time.perf_counter()
    if contender == "recorded":
        for batch in filled(conversation, rows):
            Message.objects.bulk_create(batch, batch_size=500)
    else:
        model = getattr(models, PEERS[contender])
        for start in range(0, rows, 2000):
            batch = [model(**columns(conversation)) for _ in range(min(2000, rows - start))]
            if contender == "simple-history":
                bulk_create_with_history(batch, model, batch_size=500)
            elif contender == "auditlog":
                # It only listens to save(): a bulk insert would leave no log.
                for row in batch:
                    row.save(force_insert=True)
            else:
                model.objects.bulk_create(batch, batch_size=500)
    return rows / (time.perf_counter() - began), 0.0


def make_tables(connection: Any) -> None:
    from django.apps import apps
    from django.core.management import call_command

    with connection.schema_editor() as editor:
        for model in apps.get_app_config("record_peers").get_models():
            editor.create_model(model)
    if connection.vendor == "postgresql":
        call_command("pgtrigger", "install", verbosity=0)


def compare(database: str, rows: int, rounds: int) -> None:
    contenders = [name for name in ("plain", "recorded", *PEERS) if database == "postgresql" or name != "pghistory"]
    contenders = list(dict.fromkeys(contenders))
    with fresh(database, *(app for app in APPS)) as connection:
        make_tables(connection)
        conversation = talk()
        sealer = fork(seal_on)
        ways: dict[str, Callable[[str], tuple[float, float]]] = {
            "1 writer": lambda name: singles(name, conversation, rows, 1),
            "4 writers": lambda name: singles(name, conversation, rows * 2, 4),
            "bulk 500": lambda name: bulk(name, conversation, rows * 4),
        }
        for way, measure in ways.items():
            results: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
            for _ in range(rounds):
                for name in contenders:
                    results[name].append(measure(name))
            show(connection.vendor, way, results)
        sealer.kill()
        sealer.join()


def show(vendor: str, way: str, results: dict[str, list[tuple[float, float]]]) -> None:
    print(f"\n{vendor}, {way}, median of {len(results['plain'])}")
    for name, runs in results.items():
        pairs = list(zip(runs, results["plain"], strict=True))
        rate, ratio = statistics.median(run[0] for run in runs), statistics.median(a[0] / b[0] for a, b in pairs)
        tail = "" if not runs[0][1] else f"  p99 {statistics.median(a[1] / b[1] for a, b in pairs):.2f} x plain"
        print(f"  {name:16}{rate:10,.0f} rows/s  {ratio:.2f}{tail}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--database", choices=list(SETTINGS), action="append")
    options = parser.parse_args()
    chosen = options.database or ["postgresql"]
    if len(chosen) > 1:
        one_process_each(__file__, chosen, ["--rows", str(options.rows), "--rounds", str(options.rounds)])
        return
    compare(chosen[0], options.rows, options.rounds)


if __name__ == "__main__":
    main()
