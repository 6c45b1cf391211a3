"""Rows per second of sealing and verifying, memory of verifying, and the time of one proof in a large tree.

    python benchmarks/bench_seal.py [--rows 200000] [--tree 1000000] [--database sqlite|postgresql|mariadb …]

Targets: sealing ≥ 150,000 rows/s on PostgreSQL and SQLite, ≥ 30,000 on MariaDB; structure ≥ 1 M leaves/s; content
≥ 80,000 rows/s outside the database, ≥ 300,000 inside PostgreSQL; ≤ 150 MB; a proof among ten million ≤ 10 ms of
queries and ≤ 30 hashes (``--tree 10000000``).
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from hashlib import sha256
from typing import Any

from record_database import SETTINGS, filled, fresh, one_process_each, peak_memory, talk


def seal_rate(rows: int) -> float:
    from crm_contact_guard.sealing.sealer import seal

    started = time.perf_counter()
    sealed = seal()
    assert sealed.rows >= rows
    return sealed.rows / (time.perf_counter() - started)


Rate = tuple[float, float]


def rate(count: int, began: tuple[float, float]) -> Rate:
    """Rates per second of wall time and of this process's CPU time (the rate on an idle machine)."""
    return count / (time.perf_counter() - began[0]), count / (time.process_time() - began[1])


def now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def hashing_limit() -> Rate:
    """One hash of 65 bytes for each leaf: the upper limit for the structure in one CPython process."""
    node, count, began = b"\x01" + os.urandom(64), 300_000, now()
    for _ in range(count):
        sha256(node).digest()
    return rate(count, began)


def fetching_limit(rows: int) -> Rate:
    """Reading the same rows with Django's iterator, without checks."""
    from crm_contact_guard.record.models import Message

    began = now()
    for _ in Message.objects.values_list().iterator(chunk_size=4096):
        pass
    return rate(rows, began)


def structure_rate() -> Rate:
    from crm_contact_guard.sealing.keys import verification_keys
    from crm_contact_guard.verification.report import Report
    from crm_contact_guard.verification.tree import TreeCheck

    report, leaves, began = Report(), 0, now()
    for run in TreeCheck("default", verification_keys(), report).leaves():
        leaves += run.count
    assert report.holds, report.faults
    return rate(leaves, began)


def verify_rate(**options: Any) -> float:
    from crm_contact_guard.verification.whole_record import verify

    started = time.perf_counter()
    report = verify(**options)
    assert report.holds, report.faults
    return sum(report.rows.values()) / (time.perf_counter() - started)


def content_rate() -> Rate:
    """Checking the rows only, without the final comparison of sets, links and witnesses."""
    from crm_contact_guard.sealing.keys import verification_keys
    from crm_contact_guard.verification.files import FileCheck
    from crm_contact_guard.verification.report import Report
    from crm_contact_guard.verification.rows import RowCheck
    from crm_contact_guard.verification.tree import TreeCheck, batches

    report, began = Report(), now()
    rows = RowCheck("default", report, FileCheck("default", report, contents=False))
    for runs in batches(TreeCheck("default", verification_keys(), report).leaves()):
        rows.leaves(runs)
    assert report.holds, report.faults
    return rate(sum(report.rows.values()), began)


def content_in_database_rate(rows: int) -> float:
    """Hashing every row in the server and fetching the results, without the tree."""
    from django.db import transaction

    from crm_contact_guard.verification.sql import SqlRowCheck

    with transaction.atomic():
        check, started = SqlRowCheck("default"), time.perf_counter()
        assert check.rows()
        assert not check.odd
        return rows / (time.perf_counter() - started)


def proof_times(tree: int, messages: list[Any]) -> tuple[float, float, int]:
    """Median and 99th percentile of a complete proof in ms, and the hashes in its path, in a tree of ``tree`` leaves.

    The sealer grows the tree from leaf hashes without rows: tiles, seals and head are those of an installation of that
    size, but ten million rows need not be written first.
    """
    from django.db import connection, transaction

    from crm_contact_guard.directory.ids import uuid7
    from crm_contact_guard.sealing import proofs, sealer
    from crm_contact_guard.sealing.models import TreeHead
    from crm_contact_guard.sealing.pending import Taken

    key = sealer.signing_key_or_refuse()
    while (size := TreeHead.objects.get().size) < tree:
        count = min(sealer.BATCH, tree - size)
        rows = b"".join(b"e" + uuid7().bytes for _ in range(count))
        with transaction.atomic():
            head = sealer._locked_head(connection, key)
            sealer._append(connection, head, Taken(rows, os.urandom(32 * count)), key)
    times, longest = [], 0
    for message in messages:
        began = time.perf_counter()
        proof = proofs.inclusion(message)
        times.append((time.perf_counter() - began) * 1000)
        assert proof is not None
        longest = max(longest, len(proof.path))
    times.sort()
    return statistics.median(times), times[len(times) * 99 // 100], longest


def memory(database: str, connection: Any) -> str:
    """Peak and idle memory of a separate process that only verifies (this one has also written the rows)."""
    command = [sys.executable, __file__, "--database", database, "--verify-only", str(connection.settings_dict["NAME"])]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def verify_only(database: str, name: str) -> None:
    """Run by :func:`memory`: verify the database of that name and print the memory used."""
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS[database]
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = name
    import django

    django.setup()
    before = peak_memory()
    verify_rate()
    print(f"peak {peak_memory():.0f} MB (idle {before:.0f})")


def sizes(connection: Any) -> str:
    if connection.vendor != "postgresql":
        return ""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(pg_total_relation_size(name::regclass)) FROM"
            " unnest(ARRAY['crm_contact_guard_tile', 'crm_contact_guard_seal']) AS name"
        )
        return f", {int(cursor.fetchone()[0]) / 1e6:,.0f} MB of tiles and seals"


def show(what: str, measured: Rate, unit: str, compared_with: str, limit: Rate) -> None:
    own = f"{measured[1]:,.0f} a second of its own time"
    print(f"  {what:25} {measured[0]:12,.0f} {unit} ({own}), {measured[0] / limit[0]:.2f} of {compared_with}")


def measure(database: str, rows: int, tree: int) -> None:
    with fresh(database) as connection:
        from crm_contact_guard.record.models import Message

        conversation, sampled = talk(), []
        for batch in filled(conversation, rows):
            Message.objects.bulk_create(batch, batch_size=50 if database == "sqlite" else 500)
            sampled += batch[::500]
        if database == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("VACUUM ANALYZE")
        load = os.getloadavg()[0]
        print(f"\n{database}, {rows:,} messages of about 200 characters, load {load:.1f}")
        print(f"  seal                      {seal_rate(rows):12,.0f} rows/s")
        limit, structure = hashing_limit(), structure_rate()
        show("verify structure", structure, "leaves/s", "hashing alone", limit)
        show("verify content", content_rate(), "rows/s", "Django's iterator alone", fetching_limit(rows))
        print(f"  verify everything         {verify_rate():12,.0f} rows/s")
        print(f"  in a process of its own   {memory(database, connection):>12}")
        if database == "postgresql":
            print(f"  hash rows in database     {content_in_database_rate(rows):12,.0f} rows/s")
            print(f"  verify in database        {verify_rate(in_database=True):12,.0f} rows/s")
        median, worst, hashes = proof_times(tree, sampled)
        figures = f"{median:.2f} ms, p99 {worst:.2f}, {hashes} hashes{sizes(connection)}"
        print(f"  proof among {tree:>12,}  {figures}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--tree", type=int, default=1_000_000)
    parser.add_argument("--database", choices=list(SETTINGS), action="append")
    parser.add_argument("--verify-only", metavar="NAME", help=argparse.SUPPRESS)
    options = parser.parse_args()
    chosen = options.database or list(SETTINGS)
    if len(chosen) > 1:
        one_process_each(__file__, chosen, ["--rows", str(options.rows), "--tree", str(options.tree)])
        return
    if options.verify_only:
        verify_only(chosen[0], options.verify_only)
        return
    measure(chosen[0], options.rows, options.tree)


if __name__ == "__main__":
    main()
