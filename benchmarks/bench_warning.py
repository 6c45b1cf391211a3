"""Seconds from a guest's message in the web chat to the alert on the supervisor's open page, with a limit of 5.

    python benchmarks/bench_warning.py [--rounds 5]

Starts the demo as ``make demo`` does, on separate data, and drives it with Chromium: a page of the supervisor stays
open while another guest writes in each round. Exit code 1 if the slowest round exceeds the limit.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
from tests.demo.conftest import NEIGHBOURS  # noqa: E402 - in the parent folder
from tests.ports import free_port  # noqa: E402

LIMIT = 5.0
TEXT = "LINE交換しませんか？ID: hanako_22"
GUESTS = """
from demo_project.frontdesk.models import Guest
for guest in Guest.objects.order_by('code'):
    print(guest.code)
"""


def manage(*arguments: str) -> list[str]:
    command = [sys.executable, "demo_project/manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()


def sign_in(browser: Browser, base: str) -> Page:
    page = browser.new_context(locale="en").new_page()
    page.goto(f"{base}/login/?next=/guard/")
    page.get_by_role("textbox", name="User name").fill("compliance")
    page.get_by_label("Password").fill("demo")
    page.get_by_label("Password").press("Enter")
    page.wait_for_url("**/guard/")
    return page


def seconds_to_alert(browser: Browser, supervisor: Page, link: str) -> float:
    before = supervisor.locator("#cg-queue > li").count()
    guest = browser.new_context(locale="ja").new_page()
    guest.goto(link)
    guest.get_by_label("メッセージを入力").fill(TEXT)
    began = time.perf_counter()
    guest.get_by_role("button", name="送信").click()
    expect(supervisor.locator("#cg-queue > li")).to_have_count(before + 1, timeout=60_000)
    took = time.perf_counter() - began
    guest.context.close()
    return took


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    port = free_port(NEIGHBOURS)
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(DEMO_DATA=folder, DEMO_PORT=str(port))
        demo = subprocess.Popen([sys.executable, "demo_project/demo.py"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert demo.stdout is not None
        try:
            output = ""
            for row in demo.stdout:
                output += row
                if "Ctrl-C" in row:
                    break
            ready = re.search(r"ready \((\d+) s\)", output)
            codes = manage("shell", "--no-imports", "--command", GUESTS)[:rounds]
            links = [manage("demo_link", "--guest", code)[-1] for code in codes]
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
                supervisor = sign_in(browser, f"http://127.0.0.1:{port}")
                took = [seconds_to_alert(browser, supervisor, link) for link in links]
                browser.close()
        finally:
            demo.terminate()
            demo.wait(60)
    print(f"demo ready after {ready[1] if ready else '?'} s")
    print(f"alert on the open page: {' '.join(f'{each:.1f}' for each in took)} s")
    worst = max(took)
    print(
        f"median {statistics.median(took):.1f} s, slowest {worst:.1f} s: {worst / LIMIT:.2f} of the limit of {LIMIT:.0f} s"
    )
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
