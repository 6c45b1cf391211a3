"""The CRM as its own package has it, with our names for what it asks of the environment."""
# ruff: noqa: F405

import json
import os
from pathlib import Path

from crm.settings import *  # noqa: F403 - there is no other way to take a project's settings over

SECRET_KEY = "of the host, which signs its tokens with it"
DEBUG = True
DATABASES = json.loads(os.environ["HOST_DATABASES"])
MAILERS = {
    "default": {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "OPTIONS": {"host": "127.0.0.1", "port": int(os.environ["HOST_MAIL_PORT"])},
    }
}
CELERY_BROKER_URL = ""
MEDIA_ROOT = str(Path(__file__).parent / "media")
ROOT_URLCONF = "project.urls"
# Its tables are made from its models: its hundreds of migrations take minutes, and tell nothing about us.
MIGRATION_MODULES = dict.fromkeys(name.split(".")[-1] for name in INSTALLED_APPS)
