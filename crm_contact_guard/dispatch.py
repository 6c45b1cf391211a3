"""Schedule tasks by name from any layer. They run after the commit, in Celery or inline.

Lower layers must not import ``tasks``, so they use the task's name instead. If the broker is down, nothing is lost,
because the rows to process are committed, and the sweeper finds them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from functools import partial
from importlib import import_module
from typing import Any

from django.utils import timezone

from crm_contact_guard.conf import settings
from crm_contact_guard.hosting import database, logs

logger = logs.logger(__name__)

TASKS_MODULE = "crm_contact_guard.tasks"

#: The longest time that a task waits at the broker.
_SOON = timedelta(minutes=10)

_inline: ContextVar[bool] = ContextVar("contact_guard_inline", default=False)


@contextmanager
def inline() -> Iterator[None]:
    """Run tasks scheduled in the ``with`` block in this process, regardless of ``TASKS``.

    This is meant for commands that need the result and can't rely on a worker, such as replays, seeding and a host's
    cron jobs.
    """
    before = _inline.set(True)
    try:
        yield
    finally:
        _inline.reset(before)


def later(name: str, *args: str) -> None:
    """Run the task ``name`` of ``crm_contact_guard.tasks`` with text arguments after the transaction is committed.

    With ``TASKS="inline"``, the task runs in this process. With ``"celery"``, it is sent to the host's Celery app. If
    that fails, the error is logged and not raised, because the caller's work is already committed, and the sweeper will
    schedule the task again.
    """
    database.on_commit(partial(_send, name, args))


def later_at(at: datetime, name: str, *args: str) -> None:
    """Run the task ``name`` with text arguments after the commit, but not before ``at`` (aware).

    Only a broker can wait, and only for ``_SOON``: some brokers deliver a task again that a worker holds for longer. In
    all other cases, the sweep runs the task when it is due.
    """
    if at - timezone.now() <= _SOON and not (settings.TASKS == "inline" or _inline.get()):
        database.on_commit(partial(_send, name, args, at))


def _send(name: str, args: tuple[str, ...], at: datetime | None = None) -> None:
    task: Any = getattr(import_module(TASKS_MODULE), name)
    if settings.TASKS == "inline" or _inline.get():
        task(*args)
        return
    try:
        # Don't retry here, because a request must not block on an unavailable broker. The sweeper retries.
        task.apply_async(args=args, retry=False, eta=at)
    except Exception:
        logger.exception("Could not send task %s to the broker; the sweeper will schedule it again", name)
