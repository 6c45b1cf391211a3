"""A CRM as somebody runs it: no static files of Django's, no slash appended, jobs by a queue of its own."""

import json
import os
from pathlib import Path

from creme.settings import *  # noqa: F403 - as Creme documents it

BASE_DIR = Path(__file__).parent
SECRET_KEY = "of the host"
DEBUG = True
LANGUAGE_CODE = "en"
TIME_ZONE = "Asia/Tokyo"
SITE_DOMAIN = "http://127.0.0.1"
JOBMANAGER_BROKER = f"unix_socket://{BASE_DIR}/jobs/"
GENERATED_MEDIA_NAMES_FILE = BASE_DIR / "_generated_media_names.py"
GENERATED_MEDIA_NAMES_MODULE = "project._generated_media_names"
STATIC_ROOT = BASE_DIR / "static"
MEDIA_ROOT = BASE_DIR / "media"
ROOT_URLCONF = "project.urls"
DATABASES = json.loads(os.environ["HOST_DATABASES"])
EMAIL_HOST = "127.0.0.1"
EMAIL_PORT = int(os.environ["HOST_MAIL_PORT"])
