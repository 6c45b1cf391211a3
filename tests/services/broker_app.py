"""The Celery app of ``test_brokers``; run as a script, it takes in one message or tells what has become of it."""

import json
import os
import sys

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.services.broker_settings")
app = Celery("brokers")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def take_in(text: str) -> None:
    """A customer of an employee with a supervisor writes by e-mail."""
    from tests import factories

    clerk = factories.employee("aoi", branch=factories.team(head="sora"))
    factories.conversation(clerk, channel="email", email="hanako@post.example")
    factories.received(text, channel="email", from_address="hanako@post.example")


def state() -> dict[str, int]:
    """Alerts addressed to somebody, and recorded rows that wait for their seal."""
    from crm_contact_guard.record.models import Pending
    from crm_contact_guard.supervision.models import Alert

    return {"alerts": Alert.objects.filter(addressee__isnull=False).count(), "pending": Pending.objects.count()}


if __name__ == "__main__":
    import django

    django.setup()
    if len(sys.argv) > 1:
        take_in(sys.argv[1])
    print(json.dumps(state()))
