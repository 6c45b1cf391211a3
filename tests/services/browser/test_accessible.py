"""WCAG 2.2 AA, as far as a machine can tell: the pages under axe-core, light and wide, dark and narrow."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.services.browser.conftest import Visitors

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
WIDE = {"viewport": {"width": 1280, "height": 900}}
Talk = Callable[..., tuple[Page, Page]]


def faults(page: Page) -> list[str]:
    """What axe-core finds wrong on the page as it stands, each with where."""
    page.wait_for_load_state()
    # A line that is still appearing has less contrast.
    page.evaluate("Promise.allSettled(document.getAnimations().map(each => each.finished)).then(() => true)")
    found = Axe().run(page, options=RULES).response["violations"]
    places = [(one["id"], node) for one in found for node in one["nodes"]]
    return [f"{page.url}: {rule} {node['target']} {node['failureSummary']}" for rule, node in places]


@pytest.mark.parametrize(("screen", "scheme"), [(WIDE, "light"), (PHONE, "dark")], ids=["wide light", "narrow dark"])
def test_every_page_is_accessible(visitors: Visitors, talk: Talk, screen: dict[str, object], scheme: str) -> None:
    look = {**screen, "color_scheme": scheme}
    _employee, customer = talk("Vera", **look)
    said = customer.get_by_label("Your message")
    said.fill(f"Add me on Telegram, @vera_{scheme}, it's easier")
    customer.get_by_role("button", name="Send").click()
    expect(said).to_have_value("")

    wrong = faults(customer)
    employee, supervisor = visitors.page("aoi", **look), visitors.page("chief", **look)
    employee.goto("/guard/inbox/")
    wrong += faults(employee)
    employee.get_by_role("link", name="Vera").first.click()
    expect(employee.get_by_role("region", name="Messages")).to_be_visible()
    wrong += faults(employee)
    employee.get_by_role("link", name="A customer is pressing me").first.click()
    wrong += faults(employee)
    employee.get_by_role("button", name="Ask for help").click()
    expect(employee.get_by_role("button", name="Send")).to_be_visible()
    wrong += faults(employee)
    for path in ("/guard/consult/", "/guard/me/"):
        employee.goto(path)
        wrong += faults(employee)
    for path in (
        "/guard/",
        "/guard/alerts/",
        "/guard/subjects/",
        "/guard/notices/",
        "/guard/notices/settings/",
        "/guard/rules/policy/",
        "/guard/hours/",
        "/guard/hours/company/",
        "/guard/alerts/?status=closed",
        "/guard/rules/",
        "/guard/rules/signatures/",
    ):
        supervisor.goto(path)
        wrong += faults(supervisor)
    supervisor.goto("/guard/")
    supervisor.get_by_role("link", name="Vera").first.click()
    expect(supervisor.get_by_role("button", name="Close the alert")).to_be_visible()
    wrong += faults(supervisor)

    assert not wrong, "\n".join(wrong)
