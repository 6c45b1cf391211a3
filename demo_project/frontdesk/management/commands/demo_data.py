"""``demo_data``: loads people, guests, stays, rules and conversations of the demo."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from crm_contact_guard.directory_sync import sync_all
from demo_project.frontdesk.seed.people import load_guests, load_staff
from demo_project.frontdesk.seed.rules import load_rules
from demo_project.frontdesk.seed.talks import load_talks


class Command(BaseCommand):
    help = "Load the demo's people, guests, stays, rules and conversations. Safe to repeat: existing data stay."

    def handle(self, *args: Any, **options: Any) -> None:
        staff, guests = load_staff(), load_guests()
        sync_all()
        load_rules()
        messages = load_talks()
        self.stdout.write(f"Demo data: {staff} people, {guests} guests, {messages} new messages")
