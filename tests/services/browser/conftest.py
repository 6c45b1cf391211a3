"""A site in processes of its own, and people with browsers who visit it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.ports import free_port
from tests.service_urls import CHROMIUM

ROOT = Path(__file__).parents[3]
#: Milliseconds until something counts as missing. How fast it comes is measured in benchmarks/, not here.
PATIENCE = 60_000


@dataclass
class Site:
    address: str
    guests: dict[str, str]

    def guest_page(self, name: str) -> str:
        return f"{self.address}/clients/{self.guests[name]}/"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The tests' host, migrated and seeded, behind a real server process."""
    port = free_port()
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.services.browser.settings",
        "BROWSER_DATABASE": str(tmp_path_factory.mktemp("browser") / "site.sqlite3"),
        "PYTHONWARNINGS": "default",
    }
    seeded = subprocess.run(
        [sys.executable, "-m", "tests.services.browser.seed"],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
    )
    serve = [sys.executable, "-m", "django", "runserver", "--noreload", f"127.0.0.1:{port}"]
    log = (tmp_path_factory.mktemp("log") / "server.log").open("w")
    with log, subprocess.Popen(serve, cwd=ROOT, env=environment, stdout=log, stderr=log) as server:
        address = f"http://127.0.0.1:{port}"
        try:
            _wait_until_it_answers(address, server)
            yield Site(address, json.loads(seeded.stdout.splitlines()[-1]))
        finally:
            server.terminate()


def _wait_until_it_answers(address: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/login/", timeout=5)
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the site's server did not start")


@pytest.fixture(scope="session", autouse=True)
def patient() -> None:
    expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Visitors:
    """Opens a browser for a person. What a page complains about (a refused script, an error) fails the test."""

    chromium: Browser
    site: Site
    contexts: list[BrowserContext] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def page(self, who: str = "", *, language: str = "en", **options: Any) -> Page:
        context = self.chromium.new_context(locale=language, base_url=self.site.address, **options)
        self.contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: self.complaints.append(f"{who}: {error}"))
        page.on("console", self._heard)
        if who:
            page.goto("/login/?next=/guard/")
            page.locator("[name=username]").fill(f"{who}@kaede.example")
            page.locator("[name=password]").fill("demo")
            page.get_by_role("button").click()
            page.wait_for_url("**/guard/**")
        return page

    def _heard(self, message: Any) -> None:
        # Chromium and htmx log every 4xx, the favicon among them; those are checked where they matter.
        answers = ("Failed to load resource", "Response Status Error Code")
        if message.type in ("error", "warning") and not message.text.startswith(answers):
            self.complaints.append(message.text)


@pytest.fixture
def visitors(chromium: Browser, site: Site) -> Iterator[Visitors]:
    people = Visitors(chromium, site)
    yield people
    for context in people.contexts:
        context.close()
    assert people.complaints == []


@pytest.fixture
def talk(visitors: Visitors) -> Callable[..., tuple[Page, Page]]:
    """Start a talk with a guest from the host's page: the employee's inbox, and the customer's page."""

    def start(guest: str, **customer_options: Any) -> tuple[Page, Page]:
        employee = visitors.page("aoi")
        employee.goto(visitors.site.guest_page(guest))
        begin = employee.get_by_role("button", name="Start a conversation")
        if begin.count():
            begin.click()
        employee.get_by_role("link", name="Open in the inbox").click()
        employee.get_by_role("button", name="New link").click()
        address = employee.get_by_label("Web chat link", exact=True).input_value()
        customer = visitors.page(**customer_options)
        customer.goto(address)
        return employee, customer

    return start
