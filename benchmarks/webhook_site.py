"""The site that ``bench_webhooks.py`` serves with gunicorn: the app's webhook and a bare view."""

import hashlib
import hmac
import os
from functools import cache
from importlib import import_module
from uuid import uuid4

tests: dict[str, object] = vars(import_module(os.environ["BENCH_SETTINGS"]))
globals().update({name: value for name, value in tests.items() if name.isupper()})

database = {**tests["DATABASES"]["default"], "NAME": os.environ["BENCH_DATABASE"], "CONN_MAX_AGE": None}  # type: ignore[index]
if database["ENGINE"].endswith("sqlite3"):
    pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL"
    database["OPTIONS"] = {"timeout": 60, "init_command": pragmas, "transaction_mode": "IMMEDIATE"}
DATABASES = {"default": database}
DEBUG = False
ROOT_URLCONF = __name__
CELERY_BROKER_URL = os.environ["BENCH_BROKER"]
SECRET = "bench-secret-0123456789"
CONTACT_GUARD = {
    **tests["CONTACT_GUARD"],  # type: ignore[dict-item]
    "TASKS": "celery",
    "CHANNELS": {"pager": {"BACKEND": "tests.signed_channel.SignedChannel", "OPTIONS": {"SECRET": SECRET}}},
}


def application(environ, start_response):  # type: ignore[no-untyped-def]
    """The WSGI application, created on the first call in each worker."""
    return _served()(environ, start_response)


@cache
def _served():  # type: ignore[no-untyped-def]
    from celery import Celery
    from django.core.wsgi import get_wsgi_application

    served = get_wsgi_application()
    Celery("bench", broker=CELERY_BROKER_URL, set_as_current=True).set_default()
    return served


def bare(request):  # type: ignore[no-untyped-def]
    """A minimal webhook: check the signature, insert the row, answer."""
    from django.http import HttpResponse
    from django.utils import timezone

    from crm_contact_guard.conversations.models import CarrierEventId

    expected = hmac.new(SECRET.encode(), request.body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, request.headers.get("X-Signature", "")):
        return HttpResponse(status=403)
    CarrierEventId.objects.create(channel="bare", event_id=str(uuid4()), received_at=timezone.now())
    return HttpResponse(status=204)


def __getattr__(name: str) -> object:
    # Django reads the URLs after the settings; the app's views can't be imported earlier.
    if name != "urlpatterns":
        raise AttributeError(name)
    from django.urls import path
    from django.views.decorators.csrf import csrf_exempt

    from crm_contact_guard.intake.webhooks import webhook

    return [path("bare/", csrf_exempt(bare)), path("webhooks/<str:alias>/", webhook)]
