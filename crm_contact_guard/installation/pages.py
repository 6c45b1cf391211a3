"""Check our pages in the host: URLs, login, public access (``doors``), base template, static files and languages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.template import engines
from django.test import Client, RequestFactory
from django.urls import NoReverseMatch, reverse

from crm_contact_guard.conf import settings
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.hosting import host_rows
from crm_contact_guard.installation.addresses import address_of, within_site
from crm_contact_guard.installation.doors import door_items, own_host, quietly
from crm_contact_guard.installation.logins import leads_somewhere, login_page, refused
from crm_contact_guard.installation.report import Item, error, fine, warning
from crm_contact_guard.installation.staff import staff_items
from crm_contact_guard.installation.templates import finds_ours

TOPIC = "pages"
#: A static file that every page needs.
_ASSET = "crm_contact_guard/js/live.js"
#: Maximum number of employees whose login is checked.
_MAX_PEOPLE = 1000
_BLOCKS = ("contact_guard_title", "contact_guard_head", "contact_guard_content")


def pages_items() -> Iterator[Item]:
    """Run all checks of the pages. Stop early if our URLs aren't included at all."""
    try:
        prefix = reverse("crm_contact_guard:dashboard")
    except NoReverseMatch:
        yield error(
            TOPIC,
            "our URLs are not included in ROOT_URLCONF",
            'urlpatterns += [path("guard/", include("crm_contact_guard.urls"))]',
        )
        return
    yield fine(TOPIC, f"the pages begin at {prefix}")
    yield from _public_url()
    yield from _login()
    yield from door_items()
    yield from staff_items()
    yield from _template()
    yield from _assets()
    yield from _languages()


def _public_url() -> Iterator[Item]:
    parts = urlsplit(settings.PUBLIC_URL)
    if not parts.scheme or not parts.hostname:
        yield warning(
            TOPIC,
            "PUBLIC_URL is not set: warnings, chat links and carriers' webhooks need the site's URL",
            'CONTACT_GUARD["PUBLIC_URL"] = "https://crm.example.com"',
        )
    elif parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1"):
        yield warning(TOPIC, "PUBLIC_URL is not https: chat links could be intercepted", "use https")


def _login() -> Iterator[Item]:
    to = address_of(settings.LOGIN_URL or django_settings.LOGIN_URL)
    if not (urlsplit(to).netloc or leads_somewhere(to)):
        yield error(
            TOPIC,
            f"the login address {to!r} leads nowhere",
            'set CONTACT_GUARD["LOGIN_URL"] to the path or URL name of the login page',
        )
        return
    keys = Employee.objects.filter(active=True, user__isnull=False).values_list("user", flat=True)[:_MAX_PEOPLE]
    people = list(host_rows.manager(get_user_model()).filter(pk__in=list(keys)))
    number = refused(to, people)
    if not number:
        yield fine(TOPIC, f"people sign in at {to}")
        return
    better = login_page(people)
    level = error if number == len(people) else warning
    yield level(
        TOPIC,
        f"the login page {to} would refuse {number} of {len(people)} employees, as the admin's does with non-staff",
        f'CONTACT_GUARD["LOGIN_URL"] = {better!r}'
        if better and address_of(better) != to
        else "mark them as staff, or give the site a login page for everybody (django.contrib.auth.views.LoginView)",
    )


# --- appearance


def _template() -> Iterator[Item]:
    name = settings.BASE_TEMPLATE
    blocks = "".join("{% block " + block + " %}" + f"<{block}>" + "{% endblock %}" for block in _BLOCKS)
    if not any(map(finds_ours, engines.all())):
        return  # reported as E022
    request = RequestFactory().get(reverse("crm_contact_guard:dashboard"))
    request.user = _nobody()
    try:
        engine = next(each for each in engines.all() if finds_ours(each))
        text = engine.from_string('{% extends "' + name + '" %}' + blocks).render({}, request)
    except Exception as problem:  # noqa: BLE001 - a host's template may fail in any way
        yield error(
            TOPIC,
            f"BASE_TEMPLATE {name!r} can't be rendered: {type(problem).__name__}: {problem}",
            "name a template that can be rendered for any request",
        )
        return
    missing = [block for block in _BLOCKS[1:] if f"<{block}>" not in text]
    if missing:
        yield error(
            TOPIC,
            f"BASE_TEMPLATE {name!r} has no block {' and no block '.join(missing)}: pages would be empty",
            "see the comment at the top of crm_contact_guard/base.html",
        )
    else:
        yield fine(TOPIC, f"BASE_TEMPLATE {name!r} has our blocks")


def _nobody() -> Any:
    if apps.is_installed("django.contrib.auth"):
        from django.contrib.auth.models import AnonymousUser  # noqa: PLC0415 - only where it is installed

        return AnonymousUser()
    return None


def _assets() -> Iterator[Item]:
    if not django_settings.STATIC_URL:
        yield error(TOPIC, "STATIC_URL is not set: pages would have no styles", 'STATIC_URL = "static/"')
        return
    if not apps.is_installed("django.contrib.staticfiles"):
        yield warning(
            TOPIC,
            "django.contrib.staticfiles is not installed",
            f"serve the package's crm_contact_guard/static/ under {django_settings.STATIC_URL}",
        )
        return
    collected = False
    try:
        collected = bool(django_settings.STATIC_ROOT) and staticfiles_storage.exists(_ASSET)
        staticfiles_storage.url(_ASSET)
    except ValueError:
        collected = False  # the manifest doesn't contain the file
    if not collected and not django_settings.DEBUG and not _is_served():
        yield error(TOPIC, "styles and scripts are not collected", "manage.py collectstatic")
    elif not collected and not finders.find(_ASSET):
        yield error(
            TOPIC,
            "styles and scripts are not found",
            "add django.contrib.staticfiles.finders.AppDirectoriesFinder to STATICFILES_FINDERS",
        )
    else:
        yield fine(TOPIC, "styles and scripts are found")


def _is_served() -> bool:
    """Whether the site serves the file without collectstatic, as WhiteNoise can."""
    try:
        address = within_site(staticfiles_storage.url(_ASSET))
    except ValueError:
        return False  # the manifest doesn't contain the file
    with quietly():
        client = Client(raise_request_exception=False)
        options: dict[str, Any] = {"secure": True, "headers": {"host": own_host()}}
        return client.get(address, **options).status_code == 200


def _languages() -> Iterator[Item]:
    offered = {code.split("-", maxsplit=1)[0] for code, _name in django_settings.LANGUAGES}
    missing = [code for code in ("en", "ja") if code not in offered]
    if not django_settings.USE_I18N:
        yield warning(TOPIC, "USE_I18N is off: all pages are in English", "USE_I18N = True")
    elif missing:
        yield warning(TOPIC, f"LANGUAGES lacks {' and '.join(missing)}", "add it, unless you omit it on purpose")
    else:
        yield fine(TOPIC, "English and Japanese are offered")
    if not django_settings.USE_TZ:
        yield error(TOPIC, "USE_TZ is off: the record needs aware datetimes", "USE_TZ = True")
