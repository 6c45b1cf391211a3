"""Hosts set up as nobody expects: a customer's message is recorded, warns, and is read, whatever the settings."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.core import checks
from django.db import connection

#: What each host has that others do not.
HOSTS = {
    "script prefix, no slash appended": 'settings.FORCE_SCRIPT_NAME = "/crm"; settings.APPEND_SLASH = False',
    "a transaction around each request": 'settings.DATABASES["default"]["ATOMIC_REQUESTS"] = True',
    "sessions in the cache": 'settings.SESSION_ENGINE = "django.contrib.sessions.backends.cache"',
    "signed cookies for sessions": 'settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"',
    "no locale middleware": 'settings.MIDDLEWARE.remove("django.middleware.locale.LocaleMiddleware")',
    "no translations": 'settings.USE_I18N = False; settings.LANGUAGE_CODE = "de"',
    "another language only": 'settings.LANGUAGES = [("de", "Deutsch")]; settings.LANGUAGE_CODE = "de"',
    "small keys by default": 'settings.DEFAULT_AUTO_FIELD = "django.db.models.AutoField"',
    "REST defaults of its own": (
        "settings.REST_FRAMEWORK = {'DEFAULT_RENDERER_CLASSES': ['rest_framework.renderers.StaticHTMLRenderer'],"
        " 'DEFAULT_PERMISSION_CLASSES': ['rest_framework.permissions.IsAdminUser'], 'UNAUTHENTICATED_USER': None,"
        " 'DEFAULT_AUTHENTICATION_CLASSES': [], 'DEFAULT_VERSIONING_CLASS':"
        " 'rest_framework.versioning.AcceptHeaderVersioning', 'EXCEPTION_HANDLER': 'host.lost'}"
    ),
    "templates by Jinja first": (
        'settings.TEMPLATES.insert(0, {"BACKEND": "django.template.backends.dummy.TemplateStrings", "DIRS": []})'
    ),
    "Jinja2 first": (
        'settings.TEMPLATES.insert(0, {"BACKEND": "django.template.backends.jinja2.Jinja2", "APP_DIRS": True})'
    ),
    "loaders of its own": (
        'settings.TEMPLATES[0].update(APP_DIRS=False); settings.TEMPLATES[0]["OPTIONS"].update(context_processors=[],'
        ' loaders=[("django.template.loaders.cached.Loader", ["django.template.loaders.app_directories.Loader"])])'
    ),
    "addresses below the language": 'settings.ROOT_URLCONF = "tests.strange_urls.languages"',
    "a namespace of its own": 'settings.ROOT_URLCONF = "tests.strange_urls.renamed"',
    "included twice": 'settings.ROOT_URLCONF = "tests.strange_urls.twice"',
    "a cache before everything": (
        'settings.MIDDLEWARE.insert(0, "django.middleware.cache.UpdateCacheMiddleware");'
        'settings.MIDDLEWARE.append("django.middleware.cache.FetchFromCacheMiddleware")'
    ),
    "compressed and conditional": (
        'settings.MIDDLEWARE[:0] = ["django.middleware.common.BrokenLinkEmailsMiddleware",'
        ' "django.middleware.gzip.GZipMiddleware", "django.middleware.http.ConditionalGetMiddleware"]'
    ),
    "https by a proxy": (
        'settings.SECURE_SSL_REDIRECT = True; settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https");'
        "settings.SECURE_HSTS_SECONDS = 3600; settings.SECURE_CROSS_ORIGIN_OPENER_POLICY = 'same-origin';"
        "settings.X_FRAME_OPTIONS = 'DENY'; settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True;"
        'settings.MIDDLEWARE.append("django.middleware.clickjacking.XFrameOptionsMiddleware")'
    ),
    "a number of formats": "settings.USE_THOUSAND_SEPARATOR = True",
    "strict cookies": "settings.CSRF_USE_SESSIONS = True; settings.SESSION_COOKIE_SAMESITE = 'Strict'",
}


#: What CI leaves out: hosts that differ from another one in a detail.
BEYOND_SLICE = {
    "a number of formats",
    "another language only",
    "compressed and conditional",
    "included twice",
    "loaders of its own",
    "sessions in the cache",
    "strict cookies",
    "templates by Jinja first",
}
#: Hosts whose tables are others.
OTHER_TABLES = {"small keys by default"}


@pytest.fixture(scope="session")
def migrated(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this process's database, so that not every host has to migrate one."""
    file: Path = tmp_path_factory.mktemp("migrated") / "db.sqlite3"
    with django_db_blocker.unblock(), closing(sqlite3.connect(file)) as copy:
        connection.ensure_connection()
        connection.connection.backup(copy)
    return file


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.beyond_slice] * (name in BEYOND_SLICE)) for name in HOSTS]
)
def test_a_strange_host_records_warns_and_reads(name: str, migrated: Path, request: pytest.FixtureRequest) -> None:
    host, kept = HOSTS[name], "" if name in OTHER_TABLES else str(migrated)
    code = f"from tests import settings\n{host}\nimport tests.strange_life"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        check=False,
        cwd=request.config.rootpath,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "CONTACT_GUARD_MIGRATED": kept},
        capture_output=True,
        text=True,
    )

    assert done.stdout.splitlines()[-1:] == ["well"], done.stderr[-3000:]


def test_a_host_with_naive_times_is_told_before_anything_is_lost(settings: Any) -> None:
    settings.USE_TZ = False

    found = [message for message in checks.run_checks(tags=["crm_contact_guard"]) if message.id.endswith("E020")]

    assert len(found) == 1
    assert "USE_TZ" in str(found[0].hint)


@pytest.mark.parametrize(
    ("addresses", "told"),
    [
        ("nested", ["'crm/guard/' is inside the namespace 'crm'"]),
        (
            "organisations",
            ["'<slug:org>/guard/' takes an argument (org)", "'^by/(?P<organisation>\\\\w+)/guard/' takes an argument"],
        ),
        ("caught", ["'/guard/' is caught by '^((?:[\\\\w\\\\-]+/)*)$'"]),
        ("languages", []),
        ("renamed", []),
        ("twice", []),
    ],
)
def test_addresses_that_nothing_finds_are_named(addresses: str, told: list[str], settings: Any) -> None:
    settings.ROOT_URLCONF = f"tests.strange_urls.{addresses}"

    found = [message for message in checks.run_checks(tags=["crm_contact_guard"]) if message.id.endswith("E021")]

    assert len(found) == len(told)
    assert all(words in message.msg for words, message in zip(told, found, strict=True))


DJANGO = "django.template.backends.django.DjangoTemplates"


@pytest.mark.parametrize(
    ("templates", "told"),
    [
        ([], 1),
        ([{"BACKEND": "django.template.backends.jinja2.Jinja2", "APP_DIRS": True}], 1),
        ([{"BACKEND": DJANGO}], 1),
        ([{"BACKEND": DJANGO, "OPTIONS": {"loaders": ["django.template.loaders.filesystem.Loader"]}}], 1),
        ([{"BACKEND": "django.template.backends.jinja2.Jinja2"}, {"BACKEND": DJANGO, "APP_DIRS": True}], 0),
    ],
)
def test_a_host_whose_engines_find_no_template_of_ours_is_told(templates: Any, told: int, settings: Any) -> None:
    settings.TEMPLATES = templates

    found = [message for message in checks.run_checks(tags=["crm_contact_guard"]) if message.id.endswith("E022")]

    assert len(found) == told
    assert all("DjangoTemplates" in str(message.hint) for message in found)
