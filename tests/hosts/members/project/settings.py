"""An association's member administration as its package has it, with our names for what it asks of the environment."""

import json
import os
from pathlib import Path

os.environ.setdefault("BYRO_DATA_DIR", str(Path(__file__).parents[1] / "data"))

from byro.settings import *  # noqa: F403 - there is no other way to take a project's settings over

DEBUG = True
SECRET_KEY = "of the host"
ALLOWED_HOSTS = ["127.0.0.1"]
DEFAULT_LANGUAGE = "de"
DATABASES = json.loads(os.environ["HOST_DATABASES"])
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST, EMAIL_PORT = "127.0.0.1", int(os.environ["HOST_MAIL_PORT"])
ROOT_URLCONF = "project.urls"
# Collected by a command of the host's that needs compilers; the pages' styles tell nothing about us.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
