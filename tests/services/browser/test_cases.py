"""The pages of cases in a browser: accessible, on a phone, and without JavaScript."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.services.browser.conftest import Visitors
from tests.services.browser.test_accessible import PHONE, WIDE, faults


def open_case(page: Page) -> None:
    page.goto("/guard/cases/")
    page.get_by_role("main").get_by_role("listitem").get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Evidence")).to_be_visible()


@pytest.mark.parametrize(("screen", "scheme"), [(WIDE, "light"), (PHONE, "dark")], ids=["wide light", "narrow dark"])
def test_the_pages_of_a_case_are_accessible(visitors: Visitors, screen: dict[str, object], scheme: str) -> None:
    wrong = []
    for who in ("chief", "aoi"):
        page = visitors.page(who, **screen, color_scheme=scheme)
        page.goto("/guard/cases/")
        wrong += faults(page)
        open_case(page)
        wrong += faults(page)
        if screen is PHONE:
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.get_by_role("link", name="Invitation to the hearing").click()
        expect(page.get_by_role("heading", name="Invitation to the hearing")).to_be_visible()
        wrong += faults(page)

    assert not wrong, "\n".join(wrong)


def test_a_case_works_without_javascript(visitors: Visitors) -> None:
    employee = visitors.page("aoi", java_script_enabled=False)
    open_case(employee)
    employee.get_by_label("Your view").fill("The guest asked me first.")
    employee.get_by_role("button", name="Add your view").click()

    expect(employee.get_by_text("The guest asked me first.")).to_be_visible()
    lead = visitors.page("chief", java_script_enabled=False)
    open_case(lead)
    lead.get_by_role("button", name="Done: Ask the desk").click()
    expect(lead.get_by_text("overdue")).to_have_count(0)
