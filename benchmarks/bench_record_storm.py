"""Checks for false alarms: eight writers with random rollbacks, two sealers killed repeatedly, concurrent verification.

    python benchmarks/bench_record_storm.py [--rows 1000000] [--database postgresql …]

Every committed row must be sealed exactly once, every checkpoint must be a prefix of the final tree, and no
verification, during the run or at the end, may report a fault. Exit code 1 otherwise. The tests run it with 20,000
rows.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import signal
import sys
import time
from typing import Any

from record_database import TEXT, fresh, one_process_each, talk

WRITERS = 8
ROLLED_BACK = 0.1


def write(conversation: Any, rows: int, seed: int) -> None:
    """Record ``rows`` rows in transactions of one to eight; a tenth is rolled back, some stay open for a while."""
    from django.db import transaction

    from crm_contact_guard.conversations.lifecycle import note_message
    from crm_contact_guard.record.recording import record_event, record_message

    dice, remaining = random.Random(seed), rows
    from django.utils import timezone

    while remaining > 0:
        size = min(remaining, dice.randint(1, 8))
        with transaction.atomic():
            for _ in range(size // 2):
                record_event(kind="storm", subject_type="storm", subject_id="1", actor_type="system", reason="wind")
            for _ in range(size - size // 2):
                message = record_message(
                    conversation=conversation, direction="inbound", channel="email", occurred_at=timezone.now(),
                    text=TEXT, from_name="佐藤花子",
                )  # fmt: skip
                note_message(conversation, message)
            if dice.random() < 0.05:
                time.sleep(dice.random() / 20)
            if dice.random() < ROLLED_BACK:
                transaction.set_rollback(True)
                continue
        remaining -= size


def seal_on() -> None:
    """Seal continuously until killed."""
    from crm_contact_guard.sealing.sealer import seal

    while True:
        seal(batch=500)
        time.sleep(0.1)


def start(target: Any, *args: Any) -> Any:
    """Start a child process with its own database connection."""
    from django.db import connections

    connections.close_all()
    process = multiprocessing.get_context("fork").Process(target=target, args=args, daemon=True)
    process.start()
    return process


def storm(database: str, rows: int) -> dict[str, Any]:
    from crm_contact_guard.record.models import Event, Message, Pending
    from crm_contact_guard.sealing import proofs
    from crm_contact_guard.sealing.sealer import seal
    from crm_contact_guard.verification.whole_record import verify

    # Writers to one conversation would wait for each other.
    conversations, began = [talk(str(seed)) for seed in range(WRITERS)], time.perf_counter()
    # Opening the conversation may have recorded an event.
    before = Message.objects.count() + Event.objects.count()
    writers = [start(write, mine, rows // WRITERS, seed) for seed, mine in enumerate(conversations)]
    sealers = [start(seal_on) for _ in range(2)]
    dice, kills, checkpoints, verified, faults = random.Random(7), 0, list[str](), 0, list[str]()
    look = time.perf_counter() + 2
    while any(writer.is_alive() for writer in writers):
        time.sleep(dice.uniform(0.1, 1.0))
        victim = dice.randrange(2)
        os.kill(sealers[victim].pid, signal.SIGKILL)
        sealers[victim].join()
        sealers[victim] = start(seal_on)
        kills += 1
        if kills % 5 == 0 and (head := proofs.head()) is not None:
            checkpoints.append(head.checkpoint)
        if time.perf_counter() > look:
            report = verify(since=checkpoints[-3:])
            faults += map(str, report.faults)
            verified += 1
            look = time.perf_counter() + max(5, 10 * (time.perf_counter() - look))
    for sealer in sealers:
        sealer.kill()
        sealer.join()
    failed = sum(writer.exitcode != 0 for writer in writers)
    seconds = time.perf_counter() - began
    seal()
    report = verify(since=checkpoints)
    faults += map(str, report.faults)
    recorded = Message.objects.count() + Event.objects.count()
    return {
        "database": database, "rows": recorded - before, "seconds": round(seconds), "kills": kills,
        "verifications": verified + 1, "checkpoints": len(checkpoints), "leaves": proofs.head().size,  # type: ignore[union-attr]
        "whole": recorded == sum(report.rows.values()) == proofs.head().size and not Pending.objects.exists(),  # type: ignore[union-attr]
        "writers_failed": failed, "false_alarms": len(faults), "first": faults[:3],
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "mariadb"], action="append")
    options = parser.parse_args()
    chosen = options.database or ["postgresql"]
    if len(chosen) > 1:
        one_process_each(__file__, chosen, ["--rows", str(options.rows)])
        return 0
    with fresh(chosen[0], name=f"bench_storm_{os.getpid()}"):
        result = storm(chosen[0], options.rows)
    print(json.dumps(result, ensure_ascii=False))
    return int(bool(result["false_alarms"] or result["writers_failed"] or not result["whole"]))


if __name__ == "__main__":
    sys.exit(main())
