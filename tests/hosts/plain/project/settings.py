"""A CRM that keeps its own people and its own sign-in: no app of Django's, and nothing that Django's auth brings."""

import json
import os
from pathlib import Path

BASE_DIR = Path(__file__).parent
SECRET_KEY = "of the host"
DEBUG = True
ALLOWED_HOSTS = ["127.0.0.1"]
USE_TZ = True
LANGUAGE_CODE = "en"
INSTALLED_APPS = ["project.people"]
MIDDLEWARE = [
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "project.people.sign_in.SignedIn",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
ROOT_URLCONF = "project.urls"
STATIC_URL = "/static/"
MEDIA_ROOT = BASE_DIR / "media"
AUTH_USER_MODEL = "people.Person"
LOGIN_URL = "/sign-in/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = json.loads(os.environ["HOST_DATABASES"])
MAILERS = {
    "default": {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "OPTIONS": {"host": "127.0.0.1", "port": int(os.environ["HOST_MAIL_PORT"])},
    }
}
