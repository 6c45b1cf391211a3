"""The main job, through real browsers: employee, customer and supervisor at once."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.services.browser.conftest import Visitors

PRIVATE = "個人のLINEでやりとりしませんか？IDは yamada_ken です。"
Talk = Callable[..., tuple[Page, Page]]


def test_chat_warning_and_decision(visitors: Visitors, talk: Talk) -> None:
    supervisor = visitors.page("chief")
    expect(supervisor.get_by_role("heading", name="Overview")).to_be_visible()
    expect(supervisor.get_by_role("link", name="Hanako")).to_have_count(0)
    phone = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
    _employee, customer = talk("Hanako", language="ja", **phone)
    assert "/chat/" in customer.url
    assert customer.url.endswith("/guard/chat/")
    expect(
        customer.get_by_text("この会話は、より良い対応とお互いの安心のため、Hotel Kaedeが記録しています。")
    ).to_be_visible()

    customer.get_by_label("メッセージを入力").fill("LINE交換しませんか？ID: hanako_22")
    customer.get_by_role("button", name="送信").click()
    row = supervisor.get_by_role("link", name="Hanako")
    expect(row).to_be_visible()
    expect(supervisor.locator("[data-cg-announce]")).to_have_text("1 new")

    row.click()
    expect(supervisor.locator("mark").filter(has_text="hanako_22")).to_be_visible()
    supervisor.get_by_role("button", name="I'll look at it").click()
    expect(supervisor.get_by_text("You are looking at it")).to_be_visible()
    supervisor.get_by_label("No action needed").check()
    supervisor.get_by_label("Comment for the record").fill("Declined kindly; well done.")
    supervisor.get_by_role("button", name="Close the alert").click()
    expect(supervisor.get_by_text("Chief closed it: No action needed")).to_be_visible()
    expect(supervisor.get_by_text("Declined kindly; well done.")).to_be_visible()


def test_an_answer_reaches_the_customer_and_its_reading_the_employee(talk: Talk) -> None:
    employee, customer = talk("Robert")
    customer.get_by_label("Your message").fill("Is there a pool?")
    customer.get_by_role("button", name="Send").click()
    expect(customer.get_by_label("Your message")).to_have_value("")
    expect(employee.get_by_role("region", name="Messages").get_by_text("Is there a pool?")).to_be_visible()

    employee.get_by_label("Message", exact=True).fill("Yes, on the roof.")
    employee.get_by_label("Message", exact=True).press("Enter")

    expect(customer.get_by_text("Yes, on the roof.")).to_be_visible()
    expect(employee.get_by_label("Message", exact=True)).to_have_value("")
    expect(employee.locator(".cg-state-read")).to_be_visible()


def test_without_scripts_people_read_reply_and_decide(visitors: Visitors) -> None:
    plain = {"java_script_enabled": False}
    employee = visitors.page("aoi", **plain)
    employee.goto(visitors.site.guest_page("Maria"))
    employee.get_by_role("button", name="Start a conversation").click()
    employee.get_by_role("button", name="New link").click()
    address = employee.get_by_label("Web chat link", exact=True).input_value()
    customer = visitors.page(**plain)
    customer.goto(address)
    customer.get_by_label("Your message").fill("Text me privately on WhatsApp: +44 7911 123456")
    customer.get_by_role("button", name="Send").click()
    expect(customer.get_by_text("Text me privately")).to_be_visible()

    employee.goto("/guard/inbox/")
    employee.get_by_role("link", name="Maria").click()
    employee.get_by_label("Message", exact=True).fill(PRIVATE)
    employee.get_by_role("button", name="Send").click()
    expect(employee.get_by_text("This looks like a private contact")).to_be_visible()
    expect(employee.get_by_label("Message", exact=True)).to_have_value(PRIVATE)
    employee.get_by_label("Message", exact=True).fill("Certainly. Breakfast is from seven.")
    employee.get_by_role("button", name="Send", exact=True).click()
    messages = employee.get_by_role("region", name="Messages")
    expect(messages.get_by_text("Certainly. Breakfast is from seven.")).to_be_visible()

    supervisor = visitors.page("chief", **plain)
    supervisor.get_by_role("link", name="Maria").click()
    supervisor.get_by_label("False alarm").check()
    supervisor.get_by_role("button", name="Close the alert").click()
    expect(supervisor.get_by_text("Chief closed it: False alarm")).to_be_visible()
