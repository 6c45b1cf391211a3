"""A host's commands do not wait for the API; its callers notice nothing of that."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.urls import get_resolver, reverse
from django.urls.resolvers import URLPattern
from rest_framework.views import APIView

from crm_contact_guard.api.lazy import LazyView
from crm_contact_guard.api.urls import urlpatterns

STARTS = """
import sys, django
django.setup()
from django.core.management import call_command
from django.urls import reverse
call_command("check", verbosity=0)
reverse("crm_contact_guard:inbox")
costly = ("rest_framework.views", "drf_spectacular.openapi", "crm_contact_guard.api.base")
print([name for name in costly if name in sys.modules])
"""


def test_a_command_and_a_link_import_no_api(request: pytest.FixtureRequest) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", STARTS],
        check=False,
        cwd=request.config.rootpath,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
    )

    assert done.stdout.splitlines()[-1:] == ["[]"], done.stderr[-3000:]


@pytest.mark.parametrize("pattern", urlpatterns, ids=lambda pattern: str(pattern.name))
def test_each_address_leads_to_a_view_of_ours(pattern: URLPattern) -> None:
    view = pattern.callback

    assert isinstance(view, LazyView)
    assert issubclass(view.cls, APIView)
    assert view.cls.__name__ in pattern.lookup_str


def test_who_looks_at_an_address_sees_the_view_it_stands_for() -> None:
    found = get_resolver().resolve(reverse("crm_contact_guard:api-messages"))

    assert found.func.csrf_exempt
    assert found.func.login_required is False
    assert found._func_path == "crm_contact_guard.api.views.messages.MessageList"
