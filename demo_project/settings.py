"""Settings of the demo CRM. The settings for crm_contact_guard are at the end."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.utils.translation import gettext_lazy as _

from crm_contact_guard.conf import CONTACT_GUARD_SCHEDULE
from crm_contact_guard.proof.notes import SigningKey

ROOT = Path(__file__).resolve().parents[1]
#: All data of the demo: database, queue, mail, files, logs.
DATA = Path(os.environ.get("DEMO_DATA") or ROOT / "var/demo").resolve()
DATA.mkdir(parents=True, exist_ok=True)
PORT = int(os.environ.get("DEMO_PORT") or 8000)


def _secret(name: str, make: Callable[[], str]) -> str:
    """A secret of this installation, generated on first use and stored in a file readable only by its owner."""
    path = DATA / name
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(make())
    except FileExistsError:
        pass
    return path.read_text(encoding="utf-8").strip()


def _database(url: str) -> dict[str, Any]:
    """SQLite in WAL mode, so that processes can read while one writes; or PostgreSQL by URL."""
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": DATA / "db.sqlite3",
            "OPTIONS": {
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=20000;",
                # A transaction takes the write lock at its start; taking it later fails if another one wrote meanwhile.
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
            },
        }
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


SECRET_KEY = os.environ.get("DEMO_SECRET_KEY") or _secret("secret_key", lambda: secrets.token_urlsafe(50))
DEBUG = False
PUBLIC_URL = os.environ.get("DEMO_PUBLIC_URL") or f"http://127.0.0.1:{PORT}"
ALLOWED_HOSTS = [host for host in os.environ.get("DEMO_ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]").split(",") if host]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
if PUBLIC_URL.startswith("https:"):
    # A proxy ends TLS, as in docs/operations.md; it asks for health by plain HTTP.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_REDIRECT_EXEMPT = [r"^guard/(health|metrics)/"]
    SECURE_HSTS_SECONDS = 30 * 24 * 3600
    # Preloading is decided for a whole domain, by its owner.
    SILENCED_SYSTEM_CHECKS = ["security.W021"]
else:
    # On this machine alone there is no TLS: no HSTS, no redirect, no cookies that need it.
    SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W008", "security.W012", "security.W016"]
# Cookies ignore ports: two demos on one machine must not sign out each other's users.
SESSION_COOKIE_NAME = f"kaede_session_{PORT}"
CSRF_COOKIE_NAME = f"kaede_csrf_{PORT}"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "demo_project.frontdesk",
    "demo_project.mailbox",
    "rest_framework",
    "drf_spectacular",
    "crm_contact_guard",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "demo_project.urls"
WSGI_APPLICATION = "demo_project.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "demo_project.frontdesk.frame.frame",
            ],
        },
    }
]

DATABASES = {"default": _database(os.environ.get("DEMO_DATABASE_URL", ""))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "frontdesk.User"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ja", "日本語")]
LOCALE_PATHS = [ROOT / "demo_project/locale"]
TIME_ZONE = "Asia/Tokyo"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
# Served directly from the apps, without collectstatic.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
MEDIA_ROOT = DATA / "files"

EMAIL_HOST = os.environ.get("DEMO_SMTP_HOST") or "127.0.0.1"
EMAIL_PORT = int(os.environ.get("DEMO_SMTP_PORT") or PORT + 25)
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = "Kaede CRM <crm@kaede-hotels.example>"
#: The folder of the demo's mail system. None: mail goes to another system (see docker-compose.yml).
MAILBOX_FOLDER = None if os.environ.get("DEMO_SMTP_HOST") else DATA / "mail"

CELERY_BROKER_URL = os.environ.get("DEMO_BROKER_URL") or "folder://localhost/"
if CELERY_BROKER_URL.startswith("folder:"):
    (DATA / "broker").mkdir(exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS = {"folder": str(DATA / "broker"), "polling_interval": 0.1}
    # Both use broadcast, which the folder broker does not support.
    CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
    CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Prefetched tasks of a worker that dies would be lost.
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE = {**CONTACT_GUARD_SCHEDULE}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}

# --- crm_contact_guard ------------------------------------------------------------------------------------------------

CONTACT_GUARD: dict[str, Any] = {
    "COMPANY_NAME": _("Kaede Hotel Group"),
    "INDUSTRY": "hospitality",
    "PUBLIC_URL": PUBLIC_URL,
    "BASE_TEMPLATE": "frontdesk/guard_base.html",
    "LOGIN_URL": "login",
    "LOGOUT_URL": "logout",
    "WORKING_HOURS": {"mon-fri": "09:00-18:00"},
    "HOLIDAYS": ["JP"],
    "UNDO_SECONDS": {"chat": 5, "email": 10},
    # Whoever tries the demo sees each email at once, at any hour. By default, most are collected in a daily digest.
    "NOTIFY": {"email": True, "cadence": {"alert": "at_once"}, "quiet": False},
    "AUTO_ANSWER": {
        "EMERGENCY": {
            "en": "If you are staying with us and it is urgent, please call 03-6277-4810 at any time.",
            "ja": "ご宿泊中でお急ぎの場合は、24時間いつでも 03-6277-4810 へお電話ください。",
        },
    },
    "URGENT": {"BUTTON": True, "WORDS": {"en": ["emergency"], "ja": ["緊急"]}},
    "CUSTOMER": {
        "MODEL": "frontdesk.Guest",
        "NAME": "name",
        "EMAIL": "email",
        "PHONE": "phone",
        "LINE": "line_id",
        "OWNER": "owner",
        "TEAM": "owner.team",
        "LANGUAGE": "language",
        "TIMEZONE": "time_zone",
    },
    "EMPLOYEE": {
        "NAME": "display_name",
        "ROLE": "role",
        "ROLES": {"staff": "employee", "manager": "supervisor", "it": ""},
        "TEAMS": "team",
        "TIMEZONE": "time_zone",
        "LANGUAGE": "language",
        "HOURS": "hours",
    },
    "TEAM": {"MODEL": "frontdesk.Team", "NAME": "name", "SUPERVISOR": "supervisor", "DEPUTY": "deputy"},
    "CHANNELS": {
        "chat": {"BACKEND": "crm_contact_guard.channels.webchat.WebChatChannel"},
        "email": {
            "BACKEND": "crm_contact_guard.channels.email.EmailChannel",
            "OPTIONS": {
                "FROM": "Kaede Hotels <guests@kaede-hotels.example>",
                "REPLY_TO": "reply@kaede-hotels.example",
                "HOST": EMAIL_HOST,
                "PORT": EMAIL_PORT,
            },
        },
    },
    # The demo generates a key; a company runs contact_guard_keygen once and keeps a copy offline.
    "SIGNING_KEY": _secret("signing_key", lambda: SigningKey.generate("kaede-hotels.example/record").to_text()),
    "WITNESSES": [
        {
            "BACKEND": "crm_contact_guard.sealing.witnesses.email.EmailWitness",
            "NAME": "auditor",
            "OPTIONS": {"to": ["auditor@kaede-hotels.example"]},
        }
    ],
    "COMPANY_CONTACTS": {
        "phones": ["03-6277-4810", "075-744-6120", "0460-83-9210"],
        "emails": ["guests@kaede-hotels.example", "reply@kaede-hotels.example"],
        "domains": ["kaede-hotels.example"],
        "handles": ["kaede_hotels"],
        "urls": ["https://kaede-hotels.example"],
        "names": ["楓ホテルグループ", "Kaede Hotel Group", "Kaede Hotels", "ホテル楓"],
    },
}
