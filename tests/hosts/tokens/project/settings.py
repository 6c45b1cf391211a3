"""A CRM of programs: people and organisations are in tokens, and each program names itself in headers."""

import json
import os
from pathlib import Path

BASE_DIR = Path(__file__).parent
SECRET_KEY = "of the host, which is long enough for the tokens that it signs"
TENXYTE_JWT_SECRET_KEY = "of the host's tokens, which is long enough for the algorithm"
DEBUG = True
ALLOWED_HOSTS = ["127.0.0.1"]
USE_TZ = True
LANGUAGE_CODE = "fr"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "tenxyte",
    "project.contacts",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "tenxyte.middleware.ApplicationAuthMiddleware",
    "tenxyte.middleware.OrganizationContextMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "project.sign_in.SignedIn",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
ROOT_URLCONF = "project.urls"
STATIC_URL = "/static/"
MEDIA_ROOT = BASE_DIR / "media"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "tenxyte.User"
TENXYTE_ORGANIZATIONS_ENABLED = True
TENXYTE_EXEMPT_PATHS = ["/login/"]
LOGIN_URL = "/login/"
DATABASES = json.loads(os.environ["HOST_DATABASES"])
MAILERS = {
    "default": {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "OPTIONS": {"host": "127.0.0.1", "port": int(os.environ["HOST_MAIL_PORT"])},
    }
}
