"""What the processes of the kills run on: the database, broker and carriers that the test wrote into a file."""

import json
import os
from pathlib import Path
from typing import Any

import django

from tests.services.kills.app import app as celery_app  # noqa: F401 - every process hands tasks over
from tests.settings import *  # noqa: F403
from tests.settings import CONTACT_GUARD as _CONTACT_GUARD

_GIVEN: dict[str, Any] = json.loads(Path(os.environ["KILLS_SETTINGS"]).read_text("utf-8"))

DATABASES: dict[str, dict[str, Any]] = {"default": _GIVEN["database"]}
MEDIA_ROOT = _GIVEN["media"]
CONTACT_GUARD = _CONTACT_GUARD | {
    "TASKS": "celery",
    "DELIVERY_LEASE_SECONDS": 5,
    "CHANNELS": _GIVEN["channels"],
    "PUBLIC_URL": _GIVEN["public_url"],
    "MAX_INBOUND_BYTES": 2_000_000,
    "WITNESSES": [],
    **_GIVEN["guard"],
}
if "post" in _GIVEN:  # where the host sends its email
    _SMTP = "django.core.mail.backends.smtp.EmailBackend"
    if django.VERSION >= (6, 1):
        MAILERS = {"default": {"BACKEND": _SMTP, "OPTIONS": {"host": "127.0.0.1", "port": _GIVEN["post"]}}}
    else:
        EMAIL_BACKEND, EMAIL_HOST, EMAIL_PORT = _SMTP, "127.0.0.1", _GIVEN["post"]

CELERY_BROKER_URL = _GIVEN["broker"]
CELERY_BROKER_TRANSPORT_OPTIONS = _GIVEN["broker_options"]
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_DB_REUSE_MAX = 1000  # as docs/operations.md advises
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "crm_contact_guard.tasks.sweep", "schedule": 1.0, "options": {"expires": 2.0}},
    "seal": {"task": "crm_contact_guard.tasks.seal", "schedule": 1.0, "options": {"expires": 2.0}},
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"timed": {"format": "%(asctime)s %(process)d %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "timed"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
