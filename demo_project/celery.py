"""The host's Celery app; it discovers the plugin's tasks and includes its schedule."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import beat_init
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_project.settings")
TRANSPORT_ALIASES["folder"] = "demo_project.broker:Transport"

app = Celery("demo_project")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.task(name="demo_project.answer", ignore_result=True)
def answer(path: str) -> None:
    """Create a file, which shows the demo that the worker runs tasks."""
    Path(path).touch()


@beat_init.connect
def _report_beat_ready(**_: Any) -> None:
    path = os.environ.get("DEMO_BEAT_READY", "")
    if path:
        Path(path).touch()
