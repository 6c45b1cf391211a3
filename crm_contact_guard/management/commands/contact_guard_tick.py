"""``contact_guard_tick``: do all due work, for hosts with cron instead of Celery."""

from __future__ import annotations

from typing import Any

from crm_contact_guard import tasks
from crm_contact_guard.dispatch import inline
from crm_contact_guard.management.command import GuardCommand


class Command(GuardCommand):
    help = (
        "Do all due work in this process: poll mailboxes, deliver and inspect messages, send warnings, seal the "
        "record, send checkpoints to witnesses, write exports. Run it every minute by cron if Celery's beat does not "
        "run. Safe to run concurrently. Exit code 0."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with inline():
            polled = tasks.poll_mail()
            swept = tasks.sweep()
            tasks.remind_of_rules()
            tasks.draw_sample()
            tasks.count_figures()
            tasks.fill_search()
            tasks.watch_readings()
            sealed = tasks.seal()
            witnessed = tasks.witness()
            tasks.sweep_exports()
        self.stdout.write(
            f"{polled['recorded']} mails fetched, {swept['delivered']} delivered, {swept['inspected']} inspected, "
            f"{swept['notified']} alerts notified, {sealed} sealed, {len(witnessed)} witnesses updated"
        )
