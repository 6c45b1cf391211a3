"""Pages that stay open all day tell times that are true."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.services.browser.conftest import Visitors

Talk = Callable[..., tuple[Page, Page]]


@pytest.mark.parametrize(
    ("language", "waits", "earlier"), [("en", "2 hours", "2 hr. ago"), ("ja", "2時間", "2時間前")], ids=["en", "ja"]
)
def test_who_waits_is_told_for_how_long_while_nothing_else_happens(
    visitors: Visitors, talk: Talk, language: str, waits: str, earlier: str
) -> None:
    _employee, customer = talk("Robert")
    customer.get_by_label("Your message").fill("Is the pool heated?")
    customer.get_by_role("button", name="Send").click()
    expect(customer.get_by_label("Your message")).to_have_value("")
    inbox = visitors.page("aoi", language=language, timezone_id="UTC")
    noon = inbox.evaluate("new Date(new Date().setUTCHours(12, 0, 0, 0)).toISOString()")
    inbox.clock.install()
    inbox.goto("/guard/inbox/")
    lasting, ago = (inbox.locator(f"time[data-cg-{name}]").first for name in ("lasting", "ago"))
    for time in (lasting, ago):
        time.evaluate("(element, noon) => element.setAttribute('datetime', noon)", noon)

    inbox.clock.set_fixed_time(noon.replace("T12:00", "T14:05"))
    inbox.clock.run_for(60_000)

    expect(lasting).to_have_text(waits)
    expect(ago).to_have_text(earlier)
