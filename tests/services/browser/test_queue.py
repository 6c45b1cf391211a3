"""A supervisor's day: a full queue is cleared by keyboard, and what is alike is closed in one act."""

from __future__ import annotations

import logging
import re
from collections import Counter

import pytest
from playwright.sync_api import Page, Request, expect

from tests.services.browser.conftest import Visitors
from tests.services.browser.seed import SPA

log = logging.getLogger(__name__)


def press(page: Page, key: str, presses: Counter[str]) -> None:
    page.keyboard.press(key)
    presses[key] += 1


@pytest.mark.timeout(400)
def test_a_full_queue_is_cleared_by_one_key_each_without_loading_a_page(visitors: Visitors) -> None:
    boss = visitors.page("boss")
    boss.goto("/guard/alerts/?topic=off_channel")
    loads: list[str] = []
    boss.on("request", lambda request: loads.append(request.url) if _is_a_page(request) else None)
    presses: Counter[str] = Counter()
    rest, alerts = SPA["sensitive_data"], SPA["off_channel"]

    press(boss, "j", presses)
    for number in range(alerts):
        expect(boss.locator("#cg-queue [data-cg-row]:focus")).to_have_count(1)
        press(boss, "123"[number % 3], presses)
    expect(boss.get_by_text("Nothing under this filter")).to_be_visible()

    assert presses.total() <= 2 * alerts
    assert loads == []
    boss.goto("/guard/alerts/?topic=off_channel&status=closed")
    expect(boss.locator("h1 small")).to_have_text(str(alerts))
    boss.goto("/guard/")
    expect(boss.locator("#cg-numbers b").first).to_have_text(str(rest + SPA["harassment"]))

    # A slip of the key is taken back, and the alert has the focus again.
    boss.keyboard.press("j")
    row = boss.locator("#cg-queue [data-cg-row]").first
    title = row.locator("strong").inner_text()
    boss.keyboard.press("1")
    expect(boss.locator("#cg-undo")).to_contain_text("False alarm")
    expect(boss.locator("#cg-undo")).to_contain_text(title)
    boss.keyboard.press("z")
    expect(boss.locator("#cg-queue [data-cg-row]:focus strong")).to_have_text(title)

    boss.goto("/guard/alerts/?topic=sensitive_data")
    boss.get_by_label("How it ends").select_option(label="No action needed")
    boss.get_by_label("Reason, for the record").fill("A test of the payment page")
    boss.get_by_label(f"All {rest} that match").check()
    boss.get_by_role("button", name="Close them").click()
    expect(boss.get_by_text(f"{rest} alerts closed.")).to_be_visible()
    boss.get_by_role("button", name="Undo").click()
    expect(boss.locator("h1 small")).to_have_text(str(rest))


def _is_a_page(request: Request) -> bool:
    return request.resource_type == "document"


@pytest.mark.timeout(400)
def test_the_next_alert_of_the_view_comes_by_one_key_in_place(visitors: Visitors) -> None:
    boss = visitors.page("boss")
    boss.goto("/guard/alerts/?topic=harassment")
    boss.locator("#cg-queue [data-cg-row]").first.click()
    title = boss.locator("[data-cg-alert] h1")
    expect(title).to_be_visible()
    loads: list[str] = []
    boss.on("request", lambda request: loads.append(request.url) if _is_a_page(request) else None)
    waits: list[float] = []
    boss.on("requestfinished", lambda request: waits.append(_waited(request)) if _is_a_step(request) else None)
    presses: Counter[str] = Counter()

    # Looking at the next one and going back moves in place, too.
    first, address = title.inner_text(), boss.url
    boss.keyboard.press("j")
    expect(title).not_to_have_text(first)
    boss.go_back()
    expect(title).to_have_text(first)
    assert boss.url == address

    # A slip of the key is taken back.
    boss.keyboard.press("1")
    expect(title).not_to_have_text(first)
    expect(boss.locator(".cg-decide .cg-undo")).to_contain_text("False alarm")
    boss.keyboard.press("z")
    expect(title).to_have_text(first)

    # What is typed goes with the close, and letters only type.
    boss.get_by_label("Comment for the record").fill("x")
    boss.keyboard.type("1 z")
    boss.keyboard.press("Escape")
    waits.clear()
    for number in range(SPA["harassment"] - 1):
        here = title.inner_text()
        press(boss, "123"[number % 3], presses)
        expect(title).not_to_have_text(here)
        expect(boss).to_have_url(re.compile("view=topic%3Dharassment"))

    assert presses.total() == SPA["harassment"] - 1
    assert loads == []
    # Each alert takes two answers: the step's, and the next page's.
    each = sorted(map(sum, zip(waits[::2], waits[1::2], strict=True)))
    p50, p95 = each[len(each) // 2], each[len(each) * 95 // 100]
    log.info("%d alerts, server time each: p50 %.0f ms, p95 %.0f ms", len(each), p50, p95)
    press(boss, "1", presses)
    expect(boss.get_by_text("Nothing under this filter")).to_be_visible()
    expect(boss.locator("#cg-undo")).to_contain_text("False alarm")
    boss.goto(address)
    expect(boss.locator(".cg-history q")).to_have_text("x1 z")


def _is_a_step(request: Request) -> bool:
    return request.resource_type == "fetch"


def _waited(request: Request) -> float:
    return request.timing["responseStart"] - request.timing["requestStart"]


def test_no_key_acts_while_somebody_types_or_composes(visitors: Visitors) -> None:
    boss = visitors.page("boss", language="ja")
    boss.goto("/guard/alerts/?topic=sensitive_data")
    before = boss.locator("#cg-queue li").count()
    comment = boss.locator("#cg-bulk [name=comment]")

    comment.click()
    boss.keyboard.type("1 2 3 4 z s l p x")
    boss.locator("#cg-queue [data-cg-row]").first.focus()
    boss.evaluate(
        "document.activeElement.dispatchEvent("
        "new KeyboardEvent('keydown', {key: '1', bubbles: true, isComposing: true}))"
    )

    expect(comment).to_have_value("1 2 3 4 z s l p x")
    expect(boss.locator("#cg-queue li")).to_have_count(before)
