"""What ``test_killed_worker``'s processes run on: PostgreSQL, Redis, and e-mail to the test's own server."""

import os
from typing import Any

from tests.service_urls import POSTGRESQL, REDIS, database
from tests.settings import *  # noqa: F403
from tests.settings import CONTACT_GUARD as _CONTACT_GUARD

DATABASES: dict[str, dict[str, Any]] = {"default": database(POSTGRESQL) | {"NAME": os.environ["KILLED_DATABASE"]}}

_MAIL = {"HOST": "127.0.0.1", "PORT": int(os.environ["KILLED_SMTP_PORT"]), "TIMEOUT": 20}
CONTACT_GUARD = _CONTACT_GUARD | {
    "TASKS": "celery",
    "DELIVERY_LEASE_SECONDS": 2,
    "CHANNELS": {
        "email": {
            "BACKEND": "crm_contact_guard.channels.email.EmailChannel",
            "OPTIONS": _CONTACT_GUARD["CHANNELS"]["email"]["OPTIONS"] | _MAIL,
        }
    },
}

CELERY_BROKER_URL = REDIS
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Keys of its own, which the test removes: a killed worker leaves tasks behind that nobody else may pick up.
CELERY_BROKER_TRANSPORT_OPTIONS = {"global_keyprefix": os.environ["KILLED_DATABASE"] + ":"}
CELERY_BEAT_SCHEDULE = {"sweep": {"task": "crm_contact_guard.tasks.sweep", "schedule": 0.5}}
