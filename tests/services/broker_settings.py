"""What ``test_brokers``' processes run on: a broker given by the environment, and SQLite in a folder of the test."""

import os
from typing import Any

from crm_contact_guard.conf import CONTACT_GUARD_SCHEDULE
from tests.settings import *  # noqa: F403
from tests.settings import CONTACT_GUARD as _CONTACT_GUARD

NAME = os.environ["BROKER_NAME"]
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": f"{os.environ['BROKER_FOLDER']}/crm.sqlite3",
        "OPTIONS": {
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA busy_timeout=20000;",
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
        },
    }
}
CONTACT_GUARD = _CONTACT_GUARD | {"TASKS": "celery"}
CELERY_BEAT_SCHEDULE = CONTACT_GUARD_SCHEDULE
CELERY_BROKER_URL = os.environ["BROKER_URL"]
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A queue and keys of its own, so that nobody else's worker takes its tasks.
CELERY_TASK_DEFAULT_QUEUE = NAME
if CELERY_BROKER_URL.startswith("redis"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {"global_keyprefix": f"{NAME}:"}
