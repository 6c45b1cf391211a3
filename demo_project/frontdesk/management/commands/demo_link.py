"""``demo_link``: creates a chat link to try the customer's side, and checks that the worker runs."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from crm_contact_guard.conversations.chat_links import chat_link_create
from crm_contact_guard.conversations.lifecycle import conversation_open, latest_open
from crm_contact_guard.directory.mirror import customer_for
from demo_project.celery import answer
from demo_project.frontdesk.models import Guest


class Command(BaseCommand):
    help = "Print a new chat link of a guest. With --ask-worker, first wait until a Celery worker has run a task."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--guest", default="K-10021", help="the guest's code (default: %(default)s)")
        parser.add_argument("--ask-worker", type=float, metavar="SECONDS", help="how long to wait for the worker")

    def handle(self, *args: Any, **options: Any) -> None:
        guest = Guest.objects.filter(code=options["guest"]).first()
        if guest is None:
            raise CommandError(f"There is no guest {options['guest']!r}; run demo_data first")
        if options["ask_worker"]:
            self._ask_worker(options["ask_worker"])
        customer = customer_for(guest)
        conversation = latest_open(customer) or conversation_open(customer=customer, channel="chat")
        _link, token = chat_link_create(conversation=conversation, created_by=conversation.employee)
        self.stdout.write(settings.PUBLIC_URL + reverse("crm_contact_guard:chat_enter", args=[token]))

    def _ask_worker(self, seconds: float) -> None:
        path = Path(settings.DATA) / "worker.answer"
        path.unlink(missing_ok=True)
        answer.delay(str(path))
        end = time.monotonic() + seconds
        while not path.exists():
            if time.monotonic() > end:
                raise CommandError(f"No worker has answered within {seconds:.0f} seconds")
            time.sleep(0.1)
        path.unlink()
