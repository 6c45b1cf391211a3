"""Webhook latency compared with a bare Django view that inserts one row: forged calls, genuine calls, 200 per second.

    python benchmarks/bench_webhooks.py [--seconds 20] [--rate 200] [--database sqlite …]

gunicorn serves both with two processes of four threads over loopback; a genuine call is answered after its commit and
after its inspection is queued in Redis. Calls are sent at fixed times whether or not earlier calls were answered, and
latency is measured from the scheduled time. Limits: forged calls < 1 ms without queries; genuine calls ≤ 30 ms
(median); no losses; ≤ 3 times the bare view (median). Exit code 1 if one is exceeded.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from random import randrange
from typing import Any
from uuid import uuid4

from record_database import ROOT, SETTINGS, fresh, one_process_each

from tests.ports import free_port

BROKER = os.environ.get("BENCH_BROKER", "redis://127.0.0.1:6379/9")
SECRET = "bench-secret-0123456789"
CONNECTIONS = 16
#: Number of customers who write, each in an existing conversation.
SENDERS = 500


def payload(sender: int | None = None) -> bytes:
    sender = randrange(SENDERS) if sender is None else sender
    message = {
        "id": str(uuid4()), "type": "message", "from": f"+8190{sender:08}", "text": "明日の到着は何時になりますか?",
        "at": "2026-11-24T10:00:00+09:00",
    }  # fmt: skip
    return json.dumps({"events": [message]}, ensure_ascii=False).encode()


def signature(body: bytes) -> str:
    return hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()


class Caller:
    """Sends calls over one persistent connection per thread, as carriers do."""

    def __init__(self, port: int, path: str) -> None:
        self.port, self.path = port, path
        self.own = threading.local()

    def __call__(self, body: bytes, signed: str) -> int:
        if not hasattr(self.own, "connection"):
            self.own.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            self.own.connection.connect()
            self.own.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        headers = {"Content-Type": "application/json", "X-Signature": signed}
        self.own.connection.request("POST", self.path, body, headers)
        answer = self.own.connection.getresponse()
        answer.read()
        return int(answer.status)


def in_turn(call: Caller, count: int, *, forged: bool = False) -> list[float]:
    """Milliseconds of sequential calls."""
    latencies = []
    for _ in range(count):
        body = payload()
        signed = "0" * 64 if forged else signature(body)
        began = time.perf_counter()
        status = call(body, signed)
        latencies.append((time.perf_counter() - began) * 1000)
        assert status == (403 if forged else 204), status
    return latencies


def processor_ms(port: int) -> float:
    """CPU time in ms of the processes behind this port."""
    mine = [path.parent for path in Path("/proc").glob("[0-9]*/cmdline") if f"127.0.0.1:{port}" in path.read_text()]
    ticks = [sum(map(int, (path / "stat").read_text().rpartition(")")[2].split()[11:13])) for path in mine]
    return sum(ticks) * 1000 / os.sysconf("SC_CLK_TCK")


def at_rate(call: Caller, rate: int, seconds: float) -> tuple[list[float], int]:
    """Milliseconds since the scheduled time of each call, and the number of answers other than 204."""
    count = int(rate * seconds)
    latencies, failures = [0.0] * count, [0]
    began = time.perf_counter() + 0.2

    def one(number: int) -> None:
        due = began + number / rate
        body = payload()
        signed = signature(body)
        time.sleep(max(0.0, due - time.perf_counter()))
        if call(body, signed) != 204:
            failures[0] += 1
        latencies[number] = (time.perf_counter() - due) * 1000

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(one, range(count)))
    return latencies, failures[0]


def middle(values: list[float]) -> float:
    return round(statistics.median(values), 2)


def slowest(values: list[float]) -> float:
    return round(sorted(values)[int(len(values) * 0.99)], 1)


@contextmanager
def served(database: str, name: str, folder: str) -> Iterator[int]:
    port = free_port()
    environment = {
        **os.environ, "DJANGO_SETTINGS_MODULE": "webhook_site", "BENCH_SETTINGS": SETTINGS[database],
        "BENCH_DATABASE": name, "BENCH_BROKER": BROKER, "PYTHONPATH": f"{ROOT}:{ROOT / 'benchmarks'}",
    }  # fmt: skip
    command = [sys.executable, "-m", "gunicorn", "webhook_site:application", "--bind", f"127.0.0.1:{port}"]
    command += ["--workers", "2", "--threads", "4", "--keep-alive", "60", "--log-level", "warning"]
    with (Path(folder) / "gunicorn.log").open("w+") as log:
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 60
            while True:
                try:
                    for _ in range(8):
                        Caller(port, "/bare/")(b"{}", "")
                    break
                except OSError:
                    if process.poll() is not None or time.monotonic() > deadline:
                        log.seek(0)
                        raise SystemExit(log.read()) from None
                    time.sleep(0.1)
            yield port
        finally:
            process.terminate()
            process.wait(60)


def forged_in_process(count: int = 2000) -> tuple[float, int]:
    """Median microseconds of the view for a forged call, and the total number of queries."""
    from django.conf import settings
    from django.db import connection
    from django.test import RequestFactory
    from django.test.utils import CaptureQueriesContext

    from crm_contact_guard.intake.webhooks import webhook

    options = {"BACKEND": "tests.signed_channel.SignedChannel", "OPTIONS": {"SECRET": SECRET}}
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "CHANNELS": {"pager": options}}
    body, times = payload(), []
    with CaptureQueriesContext(connection) as queries:
        for _ in range(count):
            request = RequestFactory().post("/", body, content_type="application/json", headers={"X-Signature": "0"})
            began = time.perf_counter()
            assert webhook(request, "pager").status_code == 403
            times.append((time.perf_counter() - began) * 1e6)
    return round(statistics.median(times), 1), len(queries)


def measure(database: str, name: str, rate: int, seconds: float) -> dict[str, Any]:
    import logging

    import redis

    from crm_contact_guard.conversations.models import CarrierEventId
    from crm_contact_guard.record.models import Message

    logging.disable(logging.WARNING)
    microseconds, queries = forged_in_process()
    broker = redis.Redis.from_url(BROKER)
    broker.delete("celery")
    edge: dict[str, list[float]] = {"ours": [], "bare": []}
    steady: dict[str, list[float]] = {"ours": [], "bare": []}
    processor = {"ours": 0.0, "bare": 0.0}
    failures = 0
    with tempfile.TemporaryDirectory() as folder, served(database, name, folder) as port:
        calls = {"ours": Caller(port, "/webhooks/pager/"), "bare": Caller(port, "/bare/")}
        forged = in_turn(calls["ours"], 500, forged=True)
        for sender in range(SENDERS):
            body = payload(sender)
            calls["ours"](body, signature(body))
        for call in calls.values():
            at_rate(call, 100, 2)  # warm up every worker and thread
        already = {"ours": Message.objects.count(), "bare": CarrierEventId.objects.filter(channel="bare").count()}
        # Alternating, so that a busy moment of the machine affects both.
        for _ in range(2):
            for who, call in calls.items():
                before = processor_ms(port)
                edge[who] += in_turn(call, 200)
                processor[who] += (processor_ms(port) - before) / 400
                latencies, failed = at_rate(call, rate, seconds / 2)
                steady[who] += latencies
                failures += failed
    recorded = Message.objects.count() - already["ours"]
    handed_over = broker.llen("celery")
    broker.delete("celery")
    expected = len(edge["ours"]) + len(steady["ours"])
    return {
        "database": database, "forged_in_view_us": microseconds, "forged_queries": queries,
        "forged_http_ms": middle(forged),
        "one_by_one_ms": {who: {"p50": middle(values), "p99": slowest(values)} for who, values in edge.items()},
        f"at_{rate}_a_second_ms": {who: {"p50": middle(values), "p99": slowest(values)} for who, values in steady.items()},
        "processor_ms_a_call": {who: round(spent, 2) for who, spent in processor.items()},
        "ratio_one_by_one": round(middle(edge["ours"]) / middle(edge["bare"]), 2),
        f"ratio_at_{rate}": round(middle(steady["ours"]) / middle(steady["bare"]), 2),
        "sent": expected, "recorded": recorded, "lost": expected - recorded, "not_204": failures,
        "handed_over": handed_over,
    }  # fmt: skip


def within(result: dict[str, Any], rate: int) -> bool:
    ours = result[f"at_{rate}_a_second_ms"]["ours"]
    return bool(
        result["forged_in_view_us"] < 1000
        and not result["forged_queries"]
        and max(ours["p50"], result["one_by_one_ms"]["ours"]["p50"]) <= 30
        and result["lost"] == result["not_204"] == 0
        and max(result["ratio_one_by_one"], result[f"ratio_at_{rate}"]) <= 3
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], action="append")
    options = parser.parse_args()
    chosen = options.database or ["sqlite", "postgresql"]
    if len(chosen) > 1:
        code = 0
        for database in chosen:  # measure the others even if one exceeds a limit
            try:
                one_process_each(__file__, [database], ["--seconds", str(options.seconds), "--rate", str(options.rate)])
            except subprocess.CalledProcessError:
                code = 1
        return code
    with fresh(chosen[0], name=f"bench_webhooks_{os.getpid()}") as connection:
        result = measure(chosen[0], str(connection.settings_dict["NAME"]), options.rate, options.seconds)
    print(json.dumps(result, ensure_ascii=False, indent=2))
    return int(not within(result, options.rate))


if __name__ == "__main__":
    sys.exit(main())
