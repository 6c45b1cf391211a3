"""The supervisors' day in a company of 30: which alerts they get, and how soon, with one worker, PostgreSQL and Redis.

    python benchmarks/bench_supervision_day.py [--conversations 1000] [--seed 1]

Of 100 conversations, one is an attempt and one is written to provoke a false alarm; both come from the shared corpus,
on which the detector was built. The others are real talk (``training/real.py``, the part that is only measured), cut
into conversations of at most 8 messages. Employees send what they write in spite of a nudge. Messages come one after
the other, and at most ``BACKLOG`` wait for the worker. The time of an alert is that from the record of the message that
completed the evidence until the alert is stored. Exit code 1 if a target is missed: at most 1.5 alerts per attempt, and
95 % of the alerts within 5 s.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]
from training import real  # noqa: E402 - in the parent folder

CORPUS = ROOT / "training" / "corpus"
TEAMS, TEAM = 5, 6
LENGTH = 8
BACKLOG = 4
MOST_ALERTS, MOST_SECONDS = 1.5, 5.0
Line = tuple[str, str]


@dataclass
class Talk:
    """A conversation to be held. ``what``: "attempt", "provoking" or "real"."""

    what: str
    lines: list[Line]
    pk: Any = field(default=None)


def corpus(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (CORPUS / name).read_text(encoding="utf-8").splitlines()]


def lines_of(row: dict[str, Any]) -> list[Line]:
    return [(one["direction"], one["text"]) for one in row.get("messages", [row])]


def talks(number: int, draw: random.Random) -> list[Talk]:
    """Draw the day's conversations."""
    threads, messages = corpus("threads.jsonl"), corpus("messages.jsonl")
    whole = [row for name in real.THREADS for row in real.threads(name, "measuring")]
    lines = [lines_of(row) for row in whole]
    pieces = [one[start : start + LENGTH] for one in lines for start in range(0, len(one), LENGTH)]

    def some(count: int, of_threads: set[str], of_messages: set[str]) -> list[list[Line]]:
        """Half of them threads, as far as there are enough, and half single messages."""
        long = [lines_of(row) for row in threads if row["label"] in of_threads]
        short = [lines_of(row) for row in messages if row["label"] in of_messages]
        half = min(count // 2, len(long))
        return draw.sample(long, half) + draw.sample(short, count - half)

    rare = max(number // 100, 1)
    found = [
        *(Talk("attempt", one) for one in some(rare, {"attempt"}, {"identifier", "solicit"})),
        *(Talk("provoking", one) for one in some(rare, {"clean"}, {"benign", "refusal"})),
        *(Talk("real", one) for one in draw.sample(pieces, number - 2 * rare)),
    ]
    draw.shuffle(found)
    return found


@contextmanager
def installation() -> Iterator[None]:
    """A migrated database and one worker, both removed afterwards."""
    name = f"bench_day_{os.getpid()}"
    os.environ |= {"DJANGO_SETTINGS_MODULE": "day_site", "DAY_NAME": name}
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path[:2])}
    import django
    from django.conf import settings

    django.setup()
    from django.db import connection
    from record_database import drop

    with connection.creation._nodb_cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{settings.DATABASES["default"]["NAME"]}"')
    from celery import Celery
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "day_app", "worker", "--pool", "solo", "--loglevel", "error"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield
        assert worker.poll() is None, "the worker ended"
    finally:
        worker.terminate()
        worker.wait(60)
        cleaning = Celery("cleaning", broker=settings.CELERY_BROKER_URL, set_as_current=False)
        cleaning.conf.broker_transport_options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
        with cleaning.connection_for_write() as to_broker:
            to_broker.default_channel.queue_delete(name)
        connection.close()
        drop(connection, name)


def hold(found: list[Talk]) -> None:
    """Record the conversations, as fast as the worker inspects them."""
    import day_app  # noqa: F401 - the broker that this process sends its tasks to
    from django.utils import timezone

    from crm_contact_guard.directory.models import Employee, Role
    from crm_contact_guard.policy.decision import Override, OverrideCode
    from crm_contact_guard.supervision.models import Inspection
    from tests import factories

    always = {"mon-sun": "00:00-24:00"}
    for number in range(TEAMS):
        branch = factories.team(f"Team {number}", head=f"head{number}")
        for index in range(TEAM - 1):
            factories.employee(f"staff{number}{index}", branch=branch, hours=always)
    staff = list(Employee.objects.filter(role=Role.EMPLOYEE))
    assert len(staff) == TEAMS * (TEAM - 1)
    anyway = Override(code=OverrideCode.OTHER, text="The customer asked for it")
    waiting: list[Any] = []
    for number, talk in enumerate(found):
        owner = staff[number % len(staff)]
        conversation = factories.conversation(owner, name=f"Guest {number:05}")
        talk.pk = conversation.pk
        for direction, text in talk.lines:
            if direction == "inbound":
                message = factories.received(text, conversation, occurred_at=timezone.now())
            else:
                message = factories.gateway.send(
                    actor=owner, conversation=conversation, text=text, channel="chat", override=anyway
                ).message
            if message is None:
                continue
            waiting.append(message.pk)
            while len(waiting) > BACKLOG:
                done = set(Inspection.objects.filter(message__in=waiting).values_list("message", flat=True))
                waiting = [key for key in waiting if key not in done]
                time.sleep(0.005 if len(waiting) > BACKLOG else 0)
    until = time.monotonic() + 60
    while Inspection.objects.filter(message__in=waiting).count() < len(waiting) and time.monotonic() < until:
        time.sleep(0.1)


def report(found: list[Talk]) -> bool:
    """Print the figures. Return whether the targets were met."""
    from crm_contact_guard.record.models import Message
    from crm_contact_guard.supervision.models import Alert, Finding, Topic

    what = {talk.pk: talk.what for talk in found}
    alerts = list(Alert.objects.select_related("at_message"))
    off = [alert for alert in alerts if alert.topic == Topic.OFF_CHANNEL]
    right = [alert for alert in off if what[alert.conversation_id] == "attempt"]
    attempts = {key for key, one in what.items() if one == "attempt"}
    caught = {alert.conversation_id for alert in right}
    noticed = (
        set(Finding.objects.filter(alert=None).values_list("message__conversation", flat=True)) & attempts - caught
    )
    waits = sorted((alert.opened_at - alert.at_message.recorded_at) / timedelta(seconds=1) for alert in alerts)
    print(f"{len(found):,} conversations, {Message.objects.count():,} messages, {TEAMS * TEAM} people")
    print(f"alerts: {len(alerts)} ({len(off)} about leaving the channel, of them {len(right)} right)")
    for kind in ("provoking", "real"):
        wrong = [alert for alert in alerts if what[alert.conversation_id] == kind]
        talks_with = len({alert.conversation_id for alert in wrong})
        topics = sorted({alert.topic for alert in wrong})
        print(f"  on {kind} talk: {len(wrong)} in {talks_with} of {sum(one == kind for one in what.values())} {topics}")
    print(f"attempts: {len(attempts)}, alerted {len(caught)}, only noticed {len(noticed)}")
    each = len(alerts) / len(caught) if caught else float("inf")
    print(f"alerts per attempt that was found: {each:.2f} (target {MOST_ALERTS})")
    p50, p95 = (statistics.quantiles(waits, n=100)[k - 1] for k in (50, 95)) if len(waits) > 1 else (waits * 2)[:2]
    print(f"record to alert: p50 {p50:.2f} s, p95 {p95:.2f} s (target {MOST_SECONDS:.0f} s)")
    return each <= MOST_ALERTS and p95 <= MOST_SECONDS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--conversations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if not real.available():
        print(f"the real talk is not in {real.FOLDER}")
        return 2
    found = talks(options.conversations, random.Random(options.seed))
    with installation():
        began = time.monotonic()
        hold(found)
        took = time.monotonic() - began
        is_met = report(found)
    print(f"in {took:.0f} s, load {os.getloadavg()[0]:.1f}")
    return 0 if is_met else 1


if __name__ == "__main__":
    raise SystemExit(main())
