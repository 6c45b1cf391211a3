"""Each template reads what its page holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, is_dataclass

import pytest
from django.template import engines

from crm_contact_guard.console import panel, urls
from crm_contact_guard.console.conversation.thread import Window
from crm_contact_guard.console.page import Frame, Shown
from tests.console.template_names import faults, faults_in


def pages(of: type[Shown] = Shown) -> Iterator[type[Shown]]:
    """All that has a template of its own. The modules that name the addresses and the panel have brought them in."""
    assert urls
    assert panel
    for page in of.__subclasses__():
        if page.__module__.startswith("crm_contact_guard."):
            yield page
            yield from pages(page)


@pytest.mark.parametrize("page", list(pages()), ids=lambda page: page.__name__)
def test_a_template_reads_what_its_page_holds(page: type[Shown]) -> None:
    assert is_dataclass(page)
    assert page.__dataclass_params__.frozen

    assert list(faults(f"crm_contact_guard/{page.template}", {"guard": Frame, "page": page})) == []


@dataclass(frozen=True)
class Sample:
    window: Window | None


LOOP = "{% for line in page.window.lines %}"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("{{ stray }}", "stray"),
        ("{{ page.widow }}", "page.widow"),
        ("{{ page.window|default:page.nothing }}", "page.nothing"),
        ("{% if page.window.later and not page.window.sooner %}{% endif %}", "page.window.sooner"),
        ("{{ page.window.lines.0.message.pk }}{{ page.window.lines.0.massage }}", "page.window.lines.0.massage"),
        (LOOP + "{{ line.message.text }}{{ line.message.txt }}{% endfor %}", "line.message.txt"),
        (LOOP + "{{ line.details.place }}{{ line.details.plaice }}{% endfor %}", "line.details.plaice"),
        ("{% with shown=page.window %}{{ shown.earlier }}{{ shown.early }}{% endwith %}", "shown.early"),
        ("{% load i18n %}{% blocktranslate with n=page.window %}{{ n }} {{ m }}{% endblocktranslate %}", "m"),
    ],
)
def test_a_name_that_is_none_is_told(text: str, name: str) -> None:
    template = engines["django"].from_string(text).template

    assert list(faults_in(template.nodelist, {"page": Sample}, "here")) == [f"here: {name}"]
