"""How any layer asks for later work: a task's name, after commit, by Celery or inline.

Lower layers must not import ``tasks``; they name the task. A broker that is down loses nothing: the rows that the
task would work on are committed, and the sweeper finds them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from importlib import import_module
from typing import Any

from crm_contact_guard.conf import settings
from crm_contact_guard.hosting import database

logger = logging.getLogger(__name__)

TASKS_MODULE = "crm_contact_guard.tasks"

_inline: ContextVar[bool] = ContextVar("contact_guard_inline", default=False)


@contextmanager
def inline() -> Iterator[None]:
    """Run what is asked for inside the ``with`` block in this process, whatever ``TASKS`` says.

    For commands that must see the result and can't rely on a worker: replays, seeds, a host's cron.
    """
    before = _inline.set(True)
    try:
        yield
    finally:
        _inline.reset(before)


def later(name: str, *args: str) -> None:
    """Run the task ``name`` of ``crm_contact_guard.tasks`` with text arguments once the transaction has committed.

    ``TASKS="inline"`` runs it in this process, ``"celery"`` sends it to the host's Celery app. A failure to hand it
    over is logged, never raised: the caller's work is committed and the sweeper resumes it.
    """
    database.on_commit(partial(_hand_over, name, args))


def _hand_over(name: str, args: tuple[str, ...]) -> None:
    task: Any = getattr(import_module(TASKS_MODULE), name)
    if settings.TASKS == "inline" or _inline.get():
        task(*args)
        return
    try:
        # retry=False: a request must not hang on a dead broker; the sweeper is the retry.
        task.apply_async(args=args, retry=False)
    except Exception:
        logger.exception("Could not hand over task %s; the sweeper will resume it", name)
