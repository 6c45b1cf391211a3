"""The Celery app of the processes that ``test_killed_worker`` starts; run as a script, it sends one message."""

import os
import sys

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.services.killed_settings")
app = Celery("killed")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def send(text: str) -> str:
    """An employee writes to a customer by e-mail; the message's id."""
    from crm_contact_guard import gateway
    from tests import factories

    clerk = factories.employee("aoi", branch=factories.team(head="sora"))
    conversation = factories.conversation(clerk, channel="email", email="hanako@post.example")
    sent = gateway.send(actor=clerk, conversation=conversation, text=text, occurred_at=factories.office_time())
    assert sent.message is not None
    return str(sent.message.pk)


if __name__ == "__main__":
    import django

    django.setup()
    print(send(sys.argv[1]))
