"""The Celery app of the processes that are killed."""

import os

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.services.kills.settings")
TRANSPORT_ALIASES["folder"] = "demo_project.broker:Transport"

app = Celery("kills")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
