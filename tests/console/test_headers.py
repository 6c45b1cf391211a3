"""The headers of our own views, and none on the host's."""

from __future__ import annotations

import re

from django.conf import settings
from django.test import override_settings

from crm_contact_guard.hosting.content_policy import file_policy
from tests.console.conftest import Hotel


def policy(response: object) -> dict[str, str]:
    value = response["Content-Security-Policy"]  # type: ignore[index]
    return dict(part.strip().split(" ", 1) for part in value.split(";"))


def test_the_policy_allows_nothing_inline(hotel: Hotel) -> None:
    found = policy(hotel.get("aoi", "inbox_conversation", hotel.talk.pk))

    assert found["default-src"] == "'none'"
    assert found["script-src"] == "'self'"
    assert found["style-src"] == "'self'"
    assert found["frame-ancestors"] == "'self'"
    assert found["base-uri"] == "'none'"


def test_pages_hold_nothing_inline(hotel: Hotel) -> None:
    for page, args in (("inbox_conversation", [hotel.talk.pk]), ("conversation", [hotel.talk.pk]), ("inbox", [])):
        html = hotel.get("aoi", page, *args).content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)", html)
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|hx-on|hx-vals=.js", html)


def test_refusals_have_the_headers_as_well(hotel: Hotel) -> None:
    for who in ("nobody", "visitor", "ken"):
        response = hotel.get(who, "conversation", hotel.talk.pk)
        assert "script-src 'self'" in response["Content-Security-Policy"]
        assert "no-store" in response["Cache-Control"]


def test_a_host_may_add_sources_and_serve_assets_from_elsewhere(hotel: Hotel) -> None:
    given = {
        **settings.CONTACT_GUARD,
        "CONTENT_SECURITY_POLICY": {"style-src": ["'unsafe-inline'"], "media-src": ["*"]},
    }
    with override_settings(CONTACT_GUARD=given, STATIC_URL="https://cdn.example/static/"):
        found = policy(hotel.get("aoi", "inbox"))

    assert found["style-src"] == "'self' https://cdn.example 'unsafe-inline'"
    assert found["script-src"] == "'self' https://cdn.example"
    assert found["media-src"] == "*"


def test_a_directive_that_the_hosts_middleware_does_not_know_is_left_out(hotel: Hotel) -> None:
    left_out = {"base-uri": None, "frame-ancestors": None, "sandbox": None, "script-src": None}

    with override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, "CONTENT_SECURITY_POLICY": left_out}):
        found = policy(hotel.get("aoi", "inbox"))
        of_files = file_policy()

    assert found["default-src"] == "'none'"
    assert not found.keys() & left_out.keys()
    assert of_files == "default-src 'none'"
    assert file_policy() == "default-src 'none'; sandbox"
