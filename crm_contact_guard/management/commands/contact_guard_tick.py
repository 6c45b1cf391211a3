"""``contact_guard_tick``: all that is due, for a host with cron and no Celery."""

from __future__ import annotations

from typing import Any

from crm_contact_guard import tasks
from crm_contact_guard.dispatch import inline
from crm_contact_guard.management.command import GuardCommand


class Command(GuardCommand):
    help = (
        "Do all that is due now, in this process: fetch mail, deliver, inspect and warn what waits, seal the record, "
        "hand checkpoints to witnesses. For cron, each minute, where Celery's beat does not run. Two at once are "
        "harmless. Exit code 0."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with inline():
            polled = tasks.poll_mail()
            swept = tasks.sweep()
            sealed = tasks.seal()
            witnessed = tasks.witness()
        self.stdout.write(
            f"{polled['recorded']} mails fetched, {swept['delivered']} delivered, {swept['inspected']} inspected, "
            f"{swept['notified']} warned about, {sealed} sealed, {len(witnessed)} witnesses told"
        )
