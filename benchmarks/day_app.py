"""The Celery app of ``bench_supervision_day``."""

from celery import Celery

app = Celery("day")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
