"""The panel in a host's page that has a strict content security policy, and our pages in a host that has one."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.services.browser.conftest import Visitors

Talk = Callable[..., tuple[Page, Page]]


def test_the_panel_works_under_a_policy_of_nonces_alone(visitors: Visitors, talk: Talk) -> None:
    inbox, customer = talk("Karl")
    employee = visitors.page("aoi")
    answer = employee.goto(visitors.site.guest_page("Karl"))
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "script-src 'nonce-" in policy
    assert "'self'" not in policy.partition("script-src")[2].partition(";")[0]

    customer.get_by_label("Your message").fill("Is there a pool?")
    customer.get_by_role("button", name="Send").click()
    expect(employee.get_by_role("region", name="Messages").get_by_text("Is there a pool?")).to_be_visible()
    employee.get_by_label("Message", exact=True).fill("Yes, on the roof.")
    employee.get_by_label("Message", exact=True).press("Enter")
    expect(customer.get_by_text("Yes, on the roof.")).to_be_visible()

    expect(inbox.get_by_role("region", name="Messages").get_by_text("Yes, on the roof.")).to_be_visible()
    own = inbox.reload()
    assert own is not None
    assert "script-src 'self' 'nonce-" in own.headers["content-security-policy"]
