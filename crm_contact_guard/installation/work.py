"""Check background tasks: worker, beat or cron, emails to supervisors, sealing and the outbox."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

from celery import current_app
from django.conf import settings as django_settings
from django.db import OperationalError, ProgrammingError
from django.utils import timezone

from crm_contact_guard import tasks
from crm_contact_guard.conf import CONTACT_GUARD_SCHEDULE, settings
from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.dispatch import inline
from crm_contact_guard.installation.report import Item, error, fine, warning
from crm_contact_guard.record.models import Event, Pending
from crm_contact_guard.record.recording import record_event

TOPIC = "work"
#: Maximum time, in seconds, to wait for beat and a worker to seal the row that the check records.
PATIENCE = 20.0
#: Work that has been due for longer than this is reported as overdue.
_STALE = timedelta(minutes=5)
_SILENT = ("console", "dummy", "locmem", "filebased")


def work_items(patience: float = PATIENCE) -> Iterator[Item]:
    """Check how tasks run. With Celery, record a row, which must be sealed within ``patience`` seconds."""
    try:
        Pending.objects.exists()
    except (OperationalError, ProgrammingError):
        return  # no tables yet, which database_items reports
    yield from _mail()
    if settings.TASKS == "celery":
        yield from _celery(patience)
    else:
        yield from _cron()
    late = Delivery.objects.filter(state=Delivery.State.QUEUED, due_at__lt=timezone.now() - _STALE).count()
    if late:
        yield error(
            TOPIC, f"{late} messages are overdue for more than five minutes", "see above: no worker processes them"
        )


def _mail() -> Iterator[Item]:
    if not settings.NOTIFY.get("email", True):
        yield warning(TOPIC, "warnings appear only on the dashboard", 'CONTACT_GUARD["NOTIFY"] = {"email": True}')
        return
    mailers = getattr(django_settings, "MAILERS", None) or {}
    path = (mailers.get("default") or {}).get("BACKEND") if mailers else django_settings.EMAIL_BACKEND
    kind = str(path or "").rsplit(".", 2)[-2] if path else ""
    if kind in _SILENT:
        yield warning(TOPIC, f"warnings by e-mail reach nobody: the mailer is {path}", "configure the host's e-mail")
    else:
        yield fine(TOPIC, "warnings are sent by the host's mailer")


def _celery(patience: float) -> Iterator[Item]:
    scheduled = {str(entry.get("task")) for entry in (current_app.conf.beat_schedule or {}).values()}
    wanted = {str(entry["task"]) for entry in CONTACT_GUARD_SCHEDULE.values()}
    missing = sorted(name.rsplit(".", maxsplit=1)[-1] for name in wanted - scheduled)
    if missing:
        yield warning(
            TOPIC,
            f"Celery's schedule, as this process sees it, lacks {', '.join(missing)}",
            "app.conf.beat_schedule |= CONTACT_GUARD_SCHEDULE (from crm_contact_guard.conf)",
        )
    trouble = _broker_trouble()
    if trouble:
        yield error(TOPIC, f"the broker does not answer: {trouble}", "start it, or correct broker_url")
        return
    event = _probe()
    if _wait(lambda: not Pending.objects.filter(row_id=event.pk).exists(), patience):
        yield fine(TOPIC, "beat and worker run: a recorded row was sealed")
    else:
        yield error(
            TOPIC,
            f"a recorded row was not sealed within {patience:.0f} seconds: beat or worker does not run",
            'celery -A PROJECT worker, and celery -A PROJECT beat; or TASKS = "inline" with contact_guard_tick by cron',
        )


def _broker_trouble() -> str:
    """Return the broker's URL, without the password, and the reason why it can't be reached; "" if it answers."""
    connection = None
    try:
        connection = current_app.connection_for_write()
        with connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=5)
    except Exception as problem:  # noqa: BLE001 - each broker's library raises its own exceptions
        reason = f"{type(problem).__name__}: {' '.join(str(problem).split())}".removesuffix(": ")
        if connection is None:
            return _without_secrets(reason, current_app.conf.broker_write_url or current_app.conf.broker_url)
        return _without_secrets(f"{connection.as_uri()} ({reason})", connection.as_uri(include_password=True))
    return ""


def _without_secrets(text: str, *urls: Any) -> str:
    """Mask the passwords of these URLs in the text, both as written in the URL and percent-decoded."""
    for part in (part for url in urls for part in str(url or "").split(";")):
        with suppress(ValueError):
            password = urlsplit(part).password or ""
            for secret in {password, unquote(password)} - {"", "**"}:
                text = text.replace(secret, "**")
    return text


def _cron() -> Iterator[Item]:
    oldest = Event.objects.filter(pk__in=Pending.objects.values("row_id")).order_by("recorded_at").first()
    if oldest is not None and oldest.recorded_at < timezone.now() - _STALE:
        yield error(
            TOPIC,
            "recorded rows have not been sealed for more than five minutes",
            "run manage.py contact_guard_tick every minute by cron",
            _tick,
        )
    else:
        yield fine(
            TOPIC, "tasks run in the calling process; contact_guard_tick and contact_guard_sync by cron do the rest"
        )


def _tick() -> None:
    with inline():
        tasks.sweep()
        tasks.seal()


def _probe() -> Event:
    return record_event(
        kind="installation.checked", subject_type="installation", subject_id="", actor_type=Event.ActorType.SYSTEM
    )


def _wait(done: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True
