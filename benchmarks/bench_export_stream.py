"""Rows per second and peak memory of ``messages.jsonl`` and ``messages.csv``, compared with plain streaming of a table.

    python benchmarks/bench_export_stream.py [--rows 100000] [--rounds 3] [--database sqlite|postgresql|mariadb …]

On SQLite, and on PostgreSQL and MariaDB if they are available. Every measurement runs in a separate process (so that
peak memory belongs to that contender), contenders alternate, medians are printed with the ratio to the peer:

- peer: Django's ``values_list().iterator()`` and ``json.dumps`` for each row, addresses unmasked, same columns;
- limits (PostgreSQL): ``COPY … TO STDOUT`` of the same columns as CSV and by ``row_to_json``, without masking,
  permissions or escaped formulas.

Processor time is that of the process and of its PostgreSQL backend. Where other programs use the cores, it says more
than the time that passed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

SETTINGS = {"sqlite": "tests.settings", "postgresql": "tests.settings_postgresql", "mariadb": "tests.settings_mariadb"}
TEXT = "明日の朝食は7時からご用意しております。ご不明な点がございましたらフロントまでお申し付けください。" * 3
COPY_JSON, COPY_CSV = LIMITS = ("COPY row_to_json (limit)", "COPY csv (limit)")
PEER = "values_list + json (peer)"


def django_on(database: str, name: str) -> Any:
    """Set up Django with the default connection on the database ``name``."""
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS[database]
    import django
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = name
    django.setup()
    from django.db import connection

    return connection


def fill(rows: int) -> None:
    """Create e-mail messages of 500 customers, with about 190 characters of text each."""
    from django.utils import timezone

    from crm_contact_guard.conversations.lifecycle import conversation_open
    from crm_contact_guard.directory.models import Customer, Employee
    from crm_contact_guard.record.models import Message

    employee = Employee.objects.create(key="1", name="Aoi", role="employee")
    Employee.objects.create(key="2", name="Kai", role="compliance")
    customers = [Customer.objects.create(key=str(index), name=f"Guest {index}") for index in range(500)]
    talks = [conversation_open(customer=each, channel="email", employee=employee) for each in customers]
    for start in range(0, rows, 2000):
        now = timezone.now()
        batch = []
        for index in range(start, min(start + 2000, rows)):
            talk = talks[index % 500]
            batch.append(
                Message(
                    conversation=talk,
                    customer_id=talk.customer_id,
                    employee=employee,
                    direction="inbound",
                    channel="email",
                    occurred_at=now,
                    recorded_at=now,
                    carrier_id=f"<{index}@mail.example.com>",
                    subject="Re: ご予約について",
                    text=TEXT,
                    from_name="佐藤花子",
                    from_address=f"guest{index % 500}@example.com",
                    to_name="Aoi",
                    to_address=f"reply+{talk.reply_token}@kaede.example",
                    details='{"language":"ja"}' if index % 3 == 0 else None,
                    digests=bytes(320),
                    leaf_hash=os.urandom(32),
                    format=1,
                )
            )
        Message.objects.bulk_create(batch)


def ours(form: str, *, unmask: bool = False, coding: str = "") -> Callable[[], Iterator[bytes]]:
    def stream() -> Iterator[bytes]:
        from crm_contact_guard.directory.models import Employee
        from crm_contact_guard.exports.compressing import compressed
        from crm_contact_guard.exports.streams import stream_open

        viewer = Employee.objects.get(role="compliance")
        opened = stream_open(viewer=viewer, form=form, lookups={}, filters={}, unmask=unmask)  # type: ignore[arg-type]
        return compressed(opened.chunks, coding)

    return stream


def columns() -> list[str]:
    """The columns of the export as the table names them."""
    from crm_contact_guard.exports.streams import COLUMNS

    keys = {"conversation", "customer", "employee", "reply_to"}
    return [f"{name}_id" if name in keys else name for name in COLUMNS]


def peer() -> Iterator[bytes]:
    from crm_contact_guard.exports.streams import COLUMNS
    from crm_contact_guard.record.models import Message

    def plain(value: Any) -> str:
        if isinstance(value, UUID):
            return str(value)
        return value.isoformat() if hasattr(value, "isoformat") else bytes(value).hex()

    for row in Message.objects.order_by("id").values_list(*columns()).iterator(chunk_size=2000):
        yield (json.dumps(dict(zip(COLUMNS, row, strict=True)), ensure_ascii=False, default=plain) + "\n").encode()


def copy(statement: str) -> Callable[[], Iterator[bytes]]:
    def stream() -> Iterator[bytes]:
        from django.db import connection

        table = f"SELECT {', '.join(columns())} FROM crm_contact_guard_message"
        with connection.cursor() as cursor, cursor.copy(statement.format(table=table)) as out:
            for block in out:
                yield bytes(block)

    return stream


CONTENDERS: dict[str, Callable[[], Iterator[bytes]]] = {
    PEER: peer,
    "messages.jsonl": ours("jsonl"),
    "messages.jsonl?unmask": ours("jsonl", unmask=True),
    "messages.jsonl, gzip": ours("jsonl", coding="gzip"),
    "messages.jsonl, zstd": ours("jsonl", coding="zstd"),
    "messages.csv": ours("csv"),
    COPY_JSON: copy("COPY (SELECT row_to_json(t) FROM ({table}) t) TO STDOUT"),
    COPY_CSV: copy("COPY ({table}) TO STDOUT (FORMAT csv)"),
}


def peak_memory() -> float:
    """Peak memory of this process in MB. (``ru_maxrss`` would include the parent process.)"""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def cpu(backend: int | None) -> float:
    """Seconds of processor time of this process and of the database's process for it, if it runs on this machine."""
    file = Path(f"/proc/{backend}/stat")
    ticks = file.read_text().rpartition(")")[2].split()[11:13] if backend and file.exists() else ()
    return time.process_time() + sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def measure(contender: str) -> dict[str, float]:
    """Run one contender in this process. Returns seconds to the first and last chunk, bytes, MB before and peak MB."""
    from django.db import connection

    import crm_contact_guard.exports.streams  # noqa: F401  # imported first, so that its memory does not count

    connection.ensure_connection()
    backend = getattr(getattr(connection.connection, "info", None), "backend_pid", None)
    before, used = peak_memory(), cpu(backend)
    started = time.perf_counter()
    first = size = 0.0
    for chunk in CONTENDERS[contender]():
        first = first or time.perf_counter() - started
        size += len(chunk)
    seconds = time.perf_counter() - started
    used = cpu(backend) - used
    return {"seconds": seconds, "cpu": used, "first": first, "size": size, "before": before, "peak": peak_memory()}


def compare(database: str, rows: int, rounds: int) -> None:
    folder = tempfile.TemporaryDirectory()
    name = str(Path(folder.name) / "bench.sqlite3") if database == "sqlite" else "bench_export"
    connection = django_on(database, name)
    if database == "sqlite":
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
    else:
        connection.settings_dict["TEST"] = {**connection.settings_dict["TEST"], "NAME": name}
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        fill(rows)
        if database == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("VACUUM ANALYZE")
        chosen = [each for each in CONTENDERS if each not in LIMITS or database == "postgresql"]
        results: dict[str, list[dict[str, float]]] = {each: [] for each in chosen}
        for _ in range(rounds):
            for each in chosen:
                command = [sys.executable, __file__, "--measure", each, "--database", database, "--name", name]
                process = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
                results[each].append(json.loads(process.stdout))
        show(database, rows, results)
    finally:
        if database != "sqlite":
            connection.creation.destroy_test_db(name, verbosity=0)
        folder.cleanup()


def show(database: str, rows: int, results: dict[str, list[dict[str, float]]]) -> None:
    print(f"\n{database}, {rows:,} rows, median of {len(results[PEER])}")
    heads = f"{'rows/s':>10}{'to peer':>9}{'to COPY':>9}{'by CPU':>8}"
    print(f"{'':28}{heads}{'MB':>8}{'first byte':>12}{'peak MB':>9}{'of it own':>11}")
    for each, runs in results.items():
        seconds = statistics.median(run["seconds"] for run in runs)
        to_peer = ratio(runs, results[PEER], "seconds")
        to_copy = ratio(runs, results.get(COPY_CSV, ()), "seconds")
        by_cpu = ratio(runs, results.get(COPY_CSV, ()), "cpu")
        first = statistics.median(run["first"] for run in runs) * 1000
        peak = max(run["peak"] for run in runs)
        own = max(run["peak"] - run["before"] for run in runs)
        size = runs[0]["size"] / 1e6
        ratios = f"{to_peer:9.2f}{to_copy:9.2f}{by_cpu:8.2f}"
        print(f"{each:28}{rows / seconds:10,.0f}{ratios}{size:8.0f}{first:9.0f} ms{peak:9.0f}{own:11.0f}")


def ratio(runs: list[dict[str, float]], others: Sequence[dict[str, float]], name: str) -> float:
    """How many times as fast as the others the runs are, as median of the rounds; NaN without others."""
    found = [theirs[name] / own[name] for own, theirs in zip(runs, others, strict=False)]
    return statistics.median(found) if found else float("nan")


def answers(database: str) -> bool:
    if database == "sqlite":
        return True
    check = "from django.db import connection; connection.creation._nodb_cursor().__enter__()"
    code = f"import django; django.setup(); {check}"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": SETTINGS[database]}
    return (
        subprocess.run(
            [sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, check=False
        ).returncode
        == 0
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--database", choices=list(SETTINGS), action="append")
    parser.add_argument("--measure", choices=list(CONTENDERS), help=argparse.SUPPRESS)
    parser.add_argument("--name", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        django_on(options.database[0], options.name)
        print(json.dumps(measure(options.measure)))
        return
    for database in options.database or SETTINGS:
        if not answers(database):
            print(f"\n{database} is not available and left out")
            continue
        if len(options.database or SETTINGS) == 1:
            compare(database, options.rows, options.rounds)
        else:
            # One process per database: Django's settings can't be changed later.
            command = [sys.executable, __file__, "--database", database]
            command += ["--rows", str(options.rows), "--rounds", str(options.rounds)]
            subprocess.run(command, check=True, cwd=ROOT)


if __name__ == "__main__":
    main()
