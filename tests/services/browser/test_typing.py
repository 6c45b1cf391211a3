"""Typing, keys, and reading undisturbed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.services.browser.conftest import Visitors

Talk = Callable[..., tuple[Page, Page]]
PRIVATE = "個人のLINEでやりとりしませんか？IDは yamada_ken です。"


@pytest.fixture
def employee(talk: Talk) -> Page:
    page, _customer = talk("Anna")
    return page


def text(page: Page) -> object:
    return page.get_by_label("Message", exact=True)


def test_evidence_is_underlined_while_typing_and_another_wording_is_one_click_away(employee: Page) -> None:
    text(employee).fill(PRIVATE)

    marked = employee.locator("[data-cg-backdrop] mark")
    expect(marked.first).to_be_attached()
    expect(employee.get_by_text("This looks like a private contact")).to_be_visible()
    employee.get_by_role("button", name="Use this wording").first.click()
    expect(text(employee)).to_have_value("You can always reach me here, and a colleague will answer when I'm away.")
    expect(employee.get_by_text("This looks like a private contact")).to_be_hidden()


def test_a_nudge_goes_on_with_a_reason(employee: Page) -> None:
    text(employee).fill(PRIVATE)
    employee.get_by_role("button", name="Send", exact=True).click()
    employee.get_by_label("Reason").select_option("other")
    employee.get_by_label("In a few words").fill("testing the form")
    employee.get_by_role("button", name="Send with this reason").click()

    expect(employee.get_by_role("region", name="Messages").get_by_text(PRIVATE)).to_be_visible()
    expect(text(employee)).to_have_value("")


def test_a_draft_survives_reload_and_goes_when_it_was_sent(employee: Page) -> None:
    text(employee).fill("Half a thought")
    employee.reload()
    expect(text(employee)).to_have_value("Half a thought")
    expect(employee.get_by_text("Draft restored")).to_be_visible()

    employee.get_by_role("button", name="Send", exact=True).click()
    expect(text(employee)).to_have_value("")
    employee.reload()
    expect(text(employee)).to_have_value("")


def test_a_lost_login_loses_no_text(employee: Page) -> None:
    text(employee).fill("Written while the session ended")
    employee.context.clear_cookies(name="sessionid")
    employee.get_by_role("button", name="Send", exact=True).click()

    expect(employee.get_by_text("You have been signed out")).to_be_visible()
    expect(text(employee)).to_have_value("Written while the session ended")


def test_composing_with_an_input_method_sends_nothing(employee: Page) -> None:
    before = employee.locator(".cg-line").count()
    keyboard = employee.context.new_cdp_session(employee)
    text(employee).focus()
    # As an input method does: the Enter that confirms a conversion has the key code 229.
    keyboard.send("Input.imeSetComposition", {"text": "へんかん", "selectionStart": 4, "selectionEnd": 4})
    enter = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229}
    keyboard.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **enter})
    keyboard.send("Input.insertText", {"text": "変換"})
    keyboard.send("Input.dispatchKeyEvent", {"type": "keyUp", **enter})
    text(employee).press("Shift+Enter")

    expect(text(employee)).to_have_value("変換\n")
    assert employee.locator(".cg-line").count() == before


def test_files_are_dropped_and_left_out(employee: Page) -> None:
    employee.locator("[data-cg-files]").set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"a"})
    employee.locator(".cg-thread").evaluate(
        "box => { const held = new DataTransfer(); held.items.add(new File(['b'], 'b.txt'));"
        " box.dispatchEvent(new DragEvent('drop', { dataTransfer: held, bubbles: true, cancelable: true })); }"
    )
    expect(employee.locator(".cg-file")).to_contain_text(["a.txt", "b.txt"])
    employee.get_by_role("button", name="Leave out a.txt").click()
    expect(employee.locator(".cg-file")).to_have_count(1)
    assert employee.locator("[data-cg-files]").evaluate("input => input.files[0].name") == "b.txt"


def test_keys_lead_everywhere_and_never_while_typing(visitors: Visitors) -> None:
    page = visitors.page("chief")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Inbox")
    page.keyboard.press("Escape")
    page.keyboard.type("ga")
    page.wait_for_url("**/guard/alerts/")
    page.keyboard.type("gi")
    page.wait_for_url("**/guard/inbox/")
    page.keyboard.press("/")
    page.keyboard.type("ga?")
    expect(page.get_by_label("Find a conversation")).to_have_value("ga?")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_text("Chief", exact=True).first.click()
    page.get_by_label("Letter keys").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_news_do_not_move_what_is_being_read(talk: Talk) -> None:
    employee, customer = talk("Jun")
    for number in range(12):
        customer.get_by_label("Your message").fill(f"Line {number}\n\n\nmore")
        customer.get_by_role("button", name="Send").click()
        expect(customer.get_by_label("Your message")).to_have_value("")
    thread = employee.get_by_role("region", name="Messages")
    expect(thread.get_by_text("Line 11")).to_be_visible()
    thread.evaluate("box => { box.scrollTop = 0 }")

    customer.get_by_label("Your message").fill("Something new")
    customer.get_by_role("button", name="Send").click()

    pill = employee.get_by_role("button", name="1 new")
    expect(pill).to_be_visible()
    assert thread.evaluate("box => box.scrollTop") == 0
    pill.click()
    expect(thread.get_by_text("Something new")).to_be_in_viewport()


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("width", [390, 1280])
def test_pages_fit_the_screen(visitors: Visitors, language: str, width: int) -> None:
    phone = {"viewport": {"width": width, "height": 844}, "language": language}
    for who, pages in {"chief": ["", "alerts/?status=all"], "aoi": ["inbox/"]}.items():
        page = visitors.page(who, **phone)
        for path in pages:
            page.goto(f"/guard/{path}")
            assert page.evaluate("document.documentElement.scrollWidth") <= width
