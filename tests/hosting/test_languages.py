"""In a host of a third language our texts are English as a whole: no word of Django's own catalogue, and lang="en"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polib
import pytest
from django.core import mail
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import translation

import crm_contact_guard
from crm_contact_guard import tasks
from crm_contact_guard.conversations.chat_links import chat_link_create
from crm_contact_guard.directory.models import Customer, Employee
from crm_contact_guard.hosting.languages import spoken
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.record.recording import record_message
from tests import factories

pytestmark = pytest.mark.django_db
OURS = Path(crm_contact_guard.__file__).parent / "locale" / "ja" / "LC_MESSAGES" / "django.po"


@pytest.fixture
def german() -> Iterator[None]:
    """The host speaks German, and so does everybody in it."""
    with override_settings(LANGUAGE_CODE="de", LANGUAGES=[("de", "Deutsch")]), translation.override("de"):
        yield


def strays() -> set[str]:
    """What Django's catalogue makes of those of our texts that it has as well."""
    with translation.override("de"):
        pairs = {entry.msgid: translation.gettext(entry.msgid) for entry in polib.pofile(str(OURS)) if entry.msgid}
    return {german for english, german in pairs.items() if english != german and "%" not in german}


def assert_english(page: str) -> None:
    words = " ".join(re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL).split())
    assert set(re.findall(r'<(?:html|section|div)[^>]* lang="(\w+)"', page)) <= {"en"}, page[:300]
    found = [stray for stray in strays() if re.search(rf"\b{re.escape(stray)}\b", words)]
    assert found == [], words[:500]


@pytest.fixture
def talk() -> Conversation:
    clerk = factories.employee("aoi", branch=factories.team(head="sora"), language="de")
    Employee.objects.update(language="de")
    conversation = factories.conversation(clerk)
    Customer.objects.update(language="de")
    return conversation


def test_there_are_texts_that_django_would_translate() -> None:
    assert strays()


@pytest.mark.usefixtures("german")
@pytest.mark.parametrize("name", ["inbox", "dashboard", "alerts", "data_requests"])
def test_staff_pages(name: str, talk: Conversation) -> None:
    for person in Employee.objects.all():
        browser = Client()
        browser.force_login(person.user)
        assert_english(browser.get(reverse(f"crm_contact_guard:{name}")).content.decode())
        assert_english(browser.get(reverse("crm_contact_guard:conversation", args=[talk.pk])).content.decode())


@pytest.mark.usefixtures("german")
def test_people_without_a_role_and_rows_that_are_missing(talk: Conversation) -> None:
    browser = Client()
    browser.force_login(factories.user("eve", job="visitor"))
    assert_english(browser.get(reverse("crm_contact_guard:inbox")).content.decode())
    assert_english(Client().get(reverse("crm_contact_guard:chat_enter", args=["x"]), follow=True).content.decode())
    assert talk is not None


@pytest.mark.usefixtures("german")
def test_the_customers_chat(talk: Conversation) -> None:
    _link, token = chat_link_create(conversation=talk, created_by=talk.employee)
    page = Client().get(reverse("crm_contact_guard:chat_enter", args=[token]), follow=True).content.decode()

    assert "This conversation is kept by Hotel Kaede" in page
    assert_english(page)


@pytest.mark.usefixtures("german")
def test_the_api_and_its_refusals(talk: Conversation) -> None:
    browser = Client()
    assert talk.employee is not None
    browser.force_login(talk.employee.user)
    for answer in (
        browser.get(reverse("crm_contact_guard:api-message", args=["x"])),
        browser.post(reverse("crm_contact_guard:api-conversations"), "{}", content_type="application/json"),
        Client().get(reverse("crm_contact_guard:api-messages")),
    ):
        assert answer.status_code >= 400
        assert_english(answer.content.decode())
        assert "nicht" not in answer.content.decode()


@pytest.mark.usefixtures("german")
def test_the_mail_about_an_alert(talk: Conversation, django_capture_on_commit_callbacks: Any) -> None:
    text = "LINE交換しませんか？ID: hanako_22"
    message = record_message(
        conversation=talk, direction="inbound", channel="chat", occurred_at=factories.office_time(), text=text
    )
    with django_capture_on_commit_callbacks(execute=True):
        tasks.inspect(str(message.pk))

    assert_english(mail.outbox[0].body)
    assert "Hanako" in mail.outbox[0].body


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        ("ja", "ja"),
        ("ja_JP", "ja-jp"),
        ("en-gb", "en-gb"),
        ("de", "en"),
        ("", "en"),
        ("Japanese", "en"),
        ("ja-x\0", "ja"),
    ],
)
def test_what_is_spoken(wanted: str, language: str) -> None:
    with translation.override("de"):
        assert spoken(wanted) == language


def test_without_translations_everything_is_english(settings: Any) -> None:
    settings.USE_I18N, settings.LANGUAGE_CODE = False, "ja"

    assert spoken("ja") == "en"
