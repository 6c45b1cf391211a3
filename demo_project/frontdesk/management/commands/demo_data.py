"""``demo_data``: people, guests, stays and conversations of the demo."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from crm_contact_guard.directory_sync import sync_all
from demo_project.frontdesk.seed.people import bring_in_guests, bring_in_staff
from demo_project.frontdesk.seed.talks import bring_in_talks


class Command(BaseCommand):
    help = "Bring in the demo's people, guests, stays and conversations. Safe to repeat: what is there stays."

    def handle(self, *args: Any, **options: Any) -> None:
        staff, guests = bring_in_staff(), bring_in_guests()
        sync_all()
        messages = bring_in_talks()
        self.stdout.write(f"Demo data: {staff} people, {guests} guests, {messages} new messages")
