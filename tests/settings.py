"""Settings of the tests: an awkward host, SQLite, tasks inline. Other databases have modules of their own."""

import atexit
import shutil
import tempfile
from typing import Any

import django

SECRET_KEY = "for tests only"
DEBUG = False
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ja", "日本語")]
USE_I18N = True

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "crm_contact_guard",
    "tests.host",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
ROOT_URLCONF = "tests.urls"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "string_if_invalid": "",
        },
    }
]
STATIC_URL = "/static/"
LOGIN_URL = "/login/"

DATABASES: dict[str, dict[str, Any]] = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:", "ATOMIC_REQUESTS": False}
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "host.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if django.VERSION >= (6, 1):
    MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
else:
    EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
DEFAULT_FROM_EMAIL = "crm@kaede.example"
# Attachments of the tests end with the process.
MEDIA_ROOT = tempfile.mkdtemp(prefix="contact-guard-tests-")
atexit.register(shutil.rmtree, MEDIA_ROOT, ignore_errors=True)
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

#: Made for the tests; DEBUG is off here, so the demo key would be refused.
TEST_SIGNING_KEY = "PRIVATE+KEY+kaede.example/contact-guard+e317f180+Aazo1XX855Ol/CitLScLX9bOewnzCtdaja+14/y9S3eo"

CONTACT_GUARD: dict[str, Any] = {
    # Tests ask more often than callers may.
    "API_REQUESTS_PER_MINUTE": 0,
    "COMPANY_NAME": "Hotel Kaede",
    "PUBLIC_URL": "http://testserver",
    "TASKS": "inline",
    # Every alert at once, so that a test sees its email without waiting for the next working day.
    "NOTIFY": {"email": True, "cadence": {"alert": "at_once"}, "quiet": False},
    "SIGNING_KEY": TEST_SIGNING_KEY,
    "WITNESSES": [
        {
            "BACKEND": "crm_contact_guard.sealing.witnesses.EmailWitness",
            "NAME": "auditor",
            "OPTIONS": {"to": ["auditor@audit.example"]},
        }
    ],
    "CHANNELS": {
        "chat": {"BACKEND": "crm_contact_guard.channels.webchat.WebChatChannel"},
        "email": {
            "BACKEND": "crm_contact_guard.channels.email.EmailChannel",
            "OPTIONS": {
                "FROM": "Hotel Kaede <guests@kaede.example>",
                "REPLY_TO": "reply@kaede.example",
                "HOST": "127.0.0.1",
                "PORT": 1,
            },
        },
    },
    "CUSTOMER": {
        "MODEL": "host.Client",
        "NAME": "full_name",
        "EMAIL": "emails",
        "PHONE": ["mobile", "office_phone"],
        "OWNER": "manager",
        "TEAM": "manager.branch",
        "LANGUAGE": "language",
        "TIMEZONE": "zone",
    },
    "EMPLOYEE": {
        "NAME": "display_name",
        "ROLE": "job",
        "ROLES": {"clerk": "employee", "chief": "supervisor", "visitor": ""},
        "TEAMS": "branch",
        "TIMEZONE": "zone",
        "LANGUAGE": "language",
        "HOURS": "hours",
        "CALENDAR": "calendar",
    },
    "TEAM": {"MODEL": "host.Branch", "NAME": "title", "SUPERVISOR": "head", "DEPUTY": "deputy_head"},
}
