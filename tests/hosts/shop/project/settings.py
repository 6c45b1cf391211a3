"""A shop as somebody runs it."""

import json
import os
from pathlib import Path

from oscar import INSTALLED_APPS as OSCAR
from oscar.defaults import *  # noqa: F403 - as Oscar documents it

BASE_DIR = Path(__file__).parent
SECRET_KEY = "of the host"
DEBUG = True
ALLOWED_HOSTS = ["127.0.0.1"]
USE_TZ = True
LANGUAGE_CODE = "en-gb"
INSTALLED_APPS = [*OSCAR, "project.buyers"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "oscar.apps.basket.middleware.BasketMiddleware",
    "django.contrib.flatpages.middleware.FlatpageFallbackMiddleware",
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
                "oscar.apps.search.context_processors.search_form",
                "oscar.apps.checkout.context_processors.checkout",
                "oscar.apps.communication.notifications.context_processors.notifications",
                "oscar.core.context_processors.metadata",
            ]
        },
    }
]
ROOT_URLCONF = "project.urls"
STATIC_URL = "/static/"
MEDIA_ROOT = BASE_DIR / "media"
SITE_ID = 1
AUTH_USER_MODEL = "buyers.Buyer"
AUTHENTICATION_BACKENDS = ["oscar.apps.customer.auth_backends.EmailBackend"]
HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}}
DATABASES = json.loads(os.environ["HOST_DATABASES"])
MAILERS = {
    "default": {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "OPTIONS": {"host": "127.0.0.1", "port": int(os.environ["HOST_MAIL_PORT"])},
    }
}
