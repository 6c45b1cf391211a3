"""Settings and Celery app of ``bench_supervision_day``: PostgreSQL and Redis, in both under a name of its own."""

import os
from typing import Any

from tests.service_urls import POSTGRESQL, REDIS, database
from tests.settings import *  # noqa: F403
from tests.settings import CONTACT_GUARD as _CONTACT_GUARD

NAME = os.environ["DAY_NAME"]
DATABASES: dict[str, dict[str, Any]] = {"default": database(POSTGRESQL) | {"NAME": NAME}}
MAILERS = {"default": {"BACKEND": "django.core.mail.backends.dummy.EmailBackend"}}
CONTACT_GUARD = _CONTACT_GUARD | {"TASKS": "celery", "NOTIFY": {}}
CELERY_BROKER_URL = REDIS
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_DEFAULT_QUEUE = NAME
CELERY_BROKER_TRANSPORT_OPTIONS = {"global_keyprefix": f"{NAME}:"}
