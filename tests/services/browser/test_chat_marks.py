"""Typing marks, read marks, files and reconnection of the web chat, through two real browsers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.services.browser.conftest import Visitors

Talk = Callable[..., tuple[Page, Page]]
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


def test_each_sees_the_other_typing(talk: Talk) -> None:
    employee, customer = talk("Olga", **PHONE)
    written = employee.locator(".cg-typing")
    answered = customer.locator(".cg-typing")
    composer = customer.locator("form[data-cg-composer]")
    before = composer.bounding_box()

    customer.get_by_label("Your message").press_sequentially("Is there a ", delay=5)
    expect(written).to_have_text("Olga is typing…")
    employee.get_by_label("Message", exact=True).press_sequentially("Good mor", delay=5)
    expect(answered).to_have_text("An answer is being written…")

    assert composer.bounding_box() == before, "the mark moved the page"
    assert answered.get_attribute("aria-live") == "polite"
    # Nobody types on; both marks go by themselves.
    expect(written).to_have_text("")
    expect(answered).to_have_text("")


def test_what_goes_by_mail_is_not_typed_in_the_chat(talk: Talk) -> None:
    employee, customer = talk("Erika")
    employee.locator("select[name=channel]").select_option("email")
    asked: list[str] = []
    employee.on("request", lambda request: asked.append(request.url))
    with employee.expect_response("**/news/**"):
        employee.get_by_label("Message", exact=True).press_sequentially("Dear Erika", delay=5)
    with employee.expect_response("**/news/**"):
        pass

    assert not [address for address in asked if "typing" in address]
    expect(customer.locator(".cg-typing")).to_have_text("")


def test_the_customer_sees_that_the_message_was_read(talk: Talk) -> None:
    employee, customer = talk("Mika", **PHONE)
    employee.goto("/guard/inbox/")
    customer.get_by_label("Your message").fill("Is anybody there?")
    customer.get_by_role("button", name="Send").click()
    expect(customer.get_by_text("Is anybody there?")).to_be_visible()
    expect(customer.locator(".cg-state-read")).to_have_count(0)

    employee.get_by_role("link", name="Mika").click()

    expect(customer.locator(".cg-state-read")).to_have_text("Read")


def test_a_first_message_takes_the_place_of_the_words_that_wait_for_it(talk: Talk) -> None:
    employee, customer = talk("Paul")
    customer.get_by_label("Your message").fill("Good morning")
    customer.get_by_role("button", name="Send").click()

    expect(employee.get_by_role("region", name="Messages").get_by_text("Good morning")).to_be_visible()
    expect(employee.get_by_text("No message yet")).to_be_hidden()


def test_a_lost_connection_is_told_and_everything_comes_when_it_is_back(visitors: Visitors, talk: Talk) -> None:
    employee, customer = talk("Lena", **PHONE)
    customer.context.set_offline(True)
    text = customer.get_by_label("Your message")
    text.fill("Written in a tunnel")
    customer.get_by_role("button", name="Send").click()
    expect(customer.get_by_text("No connection. What you typed is kept; we keep trying.")).to_be_visible()
    customer.get_by_role("button", name="Send").click(trial=True)  # the words are not in its way
    assert customer.evaluate("document.documentElement.scrollWidth") <= 390
    banner = customer.locator("[data-cg-banner]").bounding_box()
    assert banner is not None
    assert banner["x"] + banner["width"] <= 390
    expect(text).to_have_value("Written in a tunnel")
    employee.get_by_label("Message", exact=True).fill("Are you still there?")
    employee.get_by_label("Message", exact=True).press("Enter")
    expect(employee.get_by_label("Message", exact=True)).to_have_value("")

    customer.context.set_offline(False)

    expect(customer.get_by_text("Are you still there?")).to_be_visible()
    expect(customer.get_by_text("No connection.")).to_be_hidden()
    customer.get_by_role("button", name="Send").click()
    expect(text).to_have_value("")
    messages = employee.get_by_role("region", name="Messages")
    expect(messages.get_by_text("Written in a tunnel")).to_have_count(1)
    # htmx logs each request that the dead connection swallowed.
    visitors.complaints[:] = [words for words in visitors.complaints if not words.startswith("htmx:")]


def test_files_go_both_ways(talk: Talk, tmp_path: Path) -> None:
    employee, customer = talk("Karl", **PHONE)
    (tmp_path / "route.txt").write_text("Turn left at the bridge.")
    customer.locator("[data-cg-files]").set_input_files(tmp_path / "route.txt")
    expect(customer.get_by_text("route.txt")).to_be_visible()
    customer.get_by_role("button", name="Send").click()
    received = employee.get_by_role("region", name="Messages").get_by_role("link", name="route.txt")
    expect(received).to_be_visible()
    with employee.expect_download() as download:
        received.click()
    assert Path(download.value.path()).read_text() == "Turn left at the bridge."

    employee.locator("[data-cg-files]").set_input_files(tmp_path / "route.txt")
    employee.get_by_role("button", name="Send", exact=True).click()
    expect(customer.get_by_role("link", name="route.txt")).to_have_count(2)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_marks_fit_a_phone(talk: Talk, language: str) -> None:
    guest = {"en": "Olga", "ja": "Tomoko"}[language]
    employee, customer = talk(guest, **PHONE)
    employee.set_viewport_size({"width": 390, "height": 844})
    employee.get_by_label("Message", exact=True).press_sequentially("Good evening", delay=5)
    expect(customer.locator(".cg-typing")).not_to_have_text("")
    customer.locator("[data-cg-text]").press_sequentially("Hello", delay=5)
    expect(employee.locator(".cg-typing")).not_to_have_text("")

    for page in (employee, customer):
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_customer_marks_a_message_as_urgent_after_confirming(talk: Talk) -> None:
    employee, customer = talk("Rosa", **PHONE)
    customer.get_by_label("Your message").fill("The room is full of smoke")
    urgent = customer.get_by_role("button", name="Yes, send it as urgent")
    expect(urgent).to_be_hidden()
    customer.get_by_text("This is urgent").click()
    expect(customer.get_by_text("even at night")).to_be_visible()

    urgent.click()

    expect(customer.locator(".cg-line").filter(has_text="smoke")).to_contain_text("Marked as urgent")
    expect(customer.get_by_label("Your message")).to_have_value("")
    expect(urgent).to_be_hidden()
    expect(employee.locator(".cg-line").filter(has_text="smoke")).to_contain_text("Marked as urgent by the customer")
