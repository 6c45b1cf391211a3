"""How pages, API, receiving, sending and the regular tasks slow down while the record grows, on PostgreSQL.

    python benchmarks/bench_growth.py [--messages 10000 100000] [--database postgresql] [--only mail …]

For each size, a company's history is written (``company_history``), verified, and each act is done some times, in one
process without a server. A figure is the processor time that one takes here and in PostgreSQL, on the same machine. The
last column is the ratio of the largest to the smallest size, which should be at most 1.5. Exit code 1 if an act exceeds
that by more than 2 ms, or if a verification reports a fault.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from company_history import history
from record_database import ROOT, fresh

LIMIT, LEAST_MS = 1.5, 2.0
ROUNDS = 30


def acts(people: dict[str, Any]) -> dict[str, Callable[[], object]]:
    """What is timed, by name."""
    from django.test import Client
    from django.urls import reverse
    from django.utils import timezone

    from crm_contact_guard import gateway, tasks
    from crm_contact_guard.channels.base import InboundMessage
    from crm_contact_guard.policy.retention import expired
    from crm_contact_guard.record.models import Conversation, Message
    from crm_contact_guard.supervision.models import Alert

    yesterday = (timezone.now() - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    employee, head, compliance = people["staff1"], people["head1"], people["compliance"]
    talk = Conversation.objects.filter(employee=employee).order_by("-last_message_at")[0]
    alert = Alert.objects.filter(addressee=head)[0]
    browsers = {}
    for person in (employee, head, compliance):
        browsers[person.pk] = Client()
        browsers[person.pk].force_login(person.user)
    named = Message.objects.filter(conversation=talk, direction="inbound").order_by("-occurred_at")[0]

    def page(who: Any, name: str, *args: Any, query: str = "") -> Callable[[], object]:
        path = reverse(f"crm_contact_guard:{name}", args=args) + query

        def get() -> object:
            answer = browsers[who.pk].get(path)
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content
            assert answer.status_code == 200, (path, answer.status_code, body[:300])
            return body

        return get

    def receive() -> object:
        return gateway.receive(
            InboundMessage(
                channel="email", text="明日の件、承知しました。", event_id=uuid4().hex, from_address="guest1@mail.example",
                occurred_at=timezone.now(), references=(named.carrier_id,),
            )
        )  # fmt: skip

    def send() -> object:
        return gateway.send(
            actor=employee, conversation=talk, text="承知しました。お待ちしております。", channel="email"
        )

    found: dict[str, Callable[[], object]] = {
        "receive a mail that names an earlier one": receive,
        "send": send,
        "page inbox": page(employee, "inbox"),
        "page inbox with a conversation": page(employee, "inbox_conversation", talk.pk),
        "page queue": page(head, "dashboard"),
        "page alert": page(head, "alert", alert.pk),
        "page data requests": page(compliance, "data_requests", query="?q=Guest+17"),
        "API messages": page(compliance, "api-messages"),
        "API messages of a day": page(compliance, "api-messages", query=f"?occurred_at__gte={yesterday}"),
        "API messages of a team's supervisor": page(head, "api-messages"),
        "API conversations": page(compliance, "api-conversations"),
        "API conversations of an employee": page(employee, "api-conversations"),
        "API alerts": page(compliance, "api-alerts"),
        "API findings": page(compliance, "api-findings"),
        "API access log": page(compliance, "api-access-log"),
        "sweep": tasks.sweep,
        "seal": tasks.seal,
        "purge, dry run": lambda: [rows.count() for _, rows in expired()],
    }
    return found


def spent(connection: Any) -> float:
    """Seconds of processor time that this process and its PostgreSQL session have used: other work doesn't disturb it."""
    own = time.process_time()
    if connection.vendor != "postgresql":
        return own
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        stat = Path(f"/proc/{cursor.fetchone()[0]}/stat").read_text().rpartition(")")[2].split()
    return own + (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")


def measure(database: str, messages: int, only: list[str]) -> None:
    """Print the figures of one size as JSON: act → milliseconds and queries."""
    with fresh(database, name=f"bench_growth_{os.getpid()}") as connection:
        from django.conf import settings
        from django.test.utils import CaptureQueriesContext

        from crm_contact_guard.verification.whole_record import verify

        settings.ALLOWED_HOSTS = ["*"]
        settings.CONTACT_GUARD = {
            **settings.CONTACT_GUARD,
            "RETENTION": {"CONFIRMED": True, "RULES": [{"years": 10}]},
        }
        people = history(messages)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        took: dict[str, Any] = {}
        for name, act in acts(people).items():
            if only and not any(word in name for word in only):
                continue
            act()
            began = spent(connection)
            for _ in range(ROUNDS):
                act()
            took[name] = [(spent(connection) - began) * 1000 / ROUNDS, 0]
            with CaptureQueriesContext(connection) as queries:
                act()
            took[name][1] = len(queries)
        report = verify()
        took["faults"] = [str(fault) for fault in report.faults][:5]
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SELECT pg_database_size(current_database())")
                took["bytes a message"] = cursor.fetchone()[0] / messages
    print(json.dumps(took, ensure_ascii=False))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--messages", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--database", choices=["sqlite", "postgresql", "mariadb"], default="postgresql")
    parser.add_argument("--only", nargs="+", default=[], help="acts whose name contains one of these words")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        measure(options.database, options.messages[0], options.only)
        return 0
    sizes = []
    for size in options.messages:
        command = [sys.executable, __file__, "--one", "--messages", str(size), "--database", options.database]
        command += ["--only", *options.only] if options.only else []
        run = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        sizes.append(json.loads(run.stdout.splitlines()[-1]))
    faults = [fault for size in sizes for fault in size.pop("faults")]
    room = [size.pop("bytes a message", 0) for size in sizes]
    print(f"{'messages':44}" + "".join(f"{size:>14,}" for size in options.messages))
    missed = list(faults)
    for name in sizes[0]:
        times = [size[name][0] for size in sizes]
        ratio = times[-1] / times[0]
        slower = ratio > LIMIT and times[-1] - times[0] > LEAST_MS
        missed += [name] if slower else []
        print(
            f"{name:44}" + "".join(f"{each:11.1f} ms" for each in times)
            + f"  × {ratio:.2f}, {sizes[-1][name][1]} queries{'  MISSED' if slower else ''}"
        )  # fmt: skip
    print(f"{'bytes a message, everything':44}" + "".join(f"{each:14,.0f}" for each in room))
    for fault in faults:
        print(f"fault: {fault}")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
