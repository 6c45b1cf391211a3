"""Cost of installing the app for a host: disk space, start-up, and requests to other pages.

Limits: 120 MB beyond Django, DRF and Celery; 150 ms more for ``manage.py check`` beyond these three; no query and 0.1
ms per request. Start-up is CPU time. Rounds alternate and the fastest of each kind counts, so that a busy machine
affects both equally. Exit code 1 if a limit is exceeded.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROUNDS = 7
HOST = """
import sys, time
from django.conf import settings
with_us = sys.argv[1] == "with"
settings.configure(
    SECRET_KEY="of the host", USE_TZ=True, ALLOWED_HOSTS=["testserver"], ROOT_URLCONF="urls_" + sys.argv[1], DEBUG=False,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "rest_framework"]
    + (["crm_contact_guard"] if with_us else []),
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware",
                "django.contrib.auth.middleware.AuthenticationMiddleware"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    CONTACT_GUARD={"CUSTOMER": {"MODEL": "auth.User"}, "TASKS": "inline",
        "SIGNING_KEY": "PRIVATE+KEY+kaede.example/contact-guard+e317f180+Aazo1XX855Ol/CitLScLX9bOewnzCtdaja+14/y9S3eo",
        "CHANNELS": {"chat": {"BACKEND": "crm_contact_guard.channels.webchat.WebChatChannel"}}},
    SILENCED_SYSTEM_CHECKS=["crm_contact_guard.W004"],
)
"""
CHECK = (
    HOST
    + """
import celery, rest_framework  # the host has them anyway
if len(sys.argv) > 2:
    import rest_framework.views  # and uses it: DRF then brings psycopg and requests, where they are installed
began = time.process_time()
import django; django.setup()
from django.core.management import call_command
call_command("check", verbosity=0)
print(time.process_time() - began)
"""
)
REQUESTS = (
    HOST
    + """
import django; django.setup()
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
client = Client()
client.get("/page/"), client.get("/page/")
with CaptureQueriesContext(connection) as asked:
    client.get("/page/")
best = 1.0
for _ in range(20):
    began = time.perf_counter()
    for _ in range(100):
        client.get("/page/")
    best = min(best, (time.perf_counter() - began) / 100)
print(best, len(asked))
"""
)
URLS = """
from django.http import HttpResponse
from django.urls import include, path
urlpatterns = [{ours}path("page/", lambda request: HttpResponse("the host's page"))]
"""


def python(code: str, which: str, folder: Path, *more: str) -> list[float]:
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, which, *more],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}",
            "DJANGO_SETTINGS_MODULE": "",
            # pip compiles installed modules; here the first round does.
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
        },
        check=True,
        capture_output=True,
        text=True,
    )
    return [float(word) for word in process.stdout.splitlines()[-1].split()]


def installed(packages: list[str], folder: Path) -> float:
    """Size in MB of a fresh environment after installing, without byte code."""
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--target", str(folder), *packages],
        check=True,
    )
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def main() -> None:
    missed = []

    def report(what: str, figure: float, limit: float, unit: str) -> None:
        print(f"{what:55} {figure:8.2f} {unit} (limit {limit:g})")
        if figure > limit:
            missed.append(what)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "urls_with.py").write_text(URLS.format(ours='path("guard/", include("crm_contact_guard.urls")), '))
        (folder / "urls_without.py").write_text(URLS.format(ours=""))
        checks: dict[str, list[float]] = {"with": [], "without": []}
        unused: dict[str, list[float]] = {"with": [], "without": []}
        requests: dict[str, list[float]] = {"with": [], "without": []}
        queries = {}
        for _ in range(ROUNDS):
            for which in ("without", "with"):
                checks[which] += python(CHECK, which, folder, "uses DRF")
                unused[which] += python(CHECK, which, folder)
        for _ in range(3):
            for which in ("without", "with"):
                seconds, queries[which] = python(REQUESTS, which, folder)
                requests[which].append(seconds)
        report("manage.py check: more with the app", 1000 * (min(checks["with"]) - min(checks["without"])), 150, "ms")
        cost = 1000 * (min(unused["with"]) - min(unused["without"]))
        report("the same in a host that has DRF but does not use it", cost, 150, "ms")
        report(
            "a host's request: more with the app", 1000 * (min(requests["with"]) - min(requests["without"])), 0.1, "ms"
        )
        report("a host's request: more queries with the app", queries["with"] - queries["without"], 0, "")
        if "--no-disk" not in sys.argv:
            subprocess.run(
                [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder / "dist")],
                cwd=ROOT,
                check=True,
                capture_output=True,
            )
            wheel = next((folder / "dist").glob("*.whl"))
            bare = installed(["django", "djangorestframework", "celery"], folder / "bare")
            whole = installed([str(wheel)], folder / "whole")
            report("disk beyond Django, DRF and Celery", whole - bare, 120, "MB")
    if missed:
        sys.exit(f"Missed: {', '.join(missed)}")


if __name__ == "__main__":
    main()
