"""The host's own Celery app: the plugin's tasks are found in it, its schedule is merged into it."""

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
    """Leave a file behind: how the demo knows that the worker really works."""
    Path(path).touch()


@beat_init.connect
def _say_that_beat_runs(**_: Any) -> None:
    path = os.environ.get("DEMO_BEAT_READY", "")
    if path:
        Path(path).touch()
