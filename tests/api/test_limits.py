"""The limit of requests: per caller, told in headers, and none where the cache fails."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.core.checks import run_checks
from django.test import Client

from tests.api.conftest import API, Hotel, bearer
from tests.clock import Clock


@pytest.fixture(autouse=True)
def limit(settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "API_REQUESTS_PER_MINUTE": 3}
    cache.clear()


def test_a_caller_is_counted_per_minute(hotel: Hotel, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    clock.forward(15)
    token = bearer(hotel.people["aoi"])

    def ask() -> tuple[int, str, str]:
        response = Client().get(f"{API}conversations/", headers=token)
        assert response["RateLimit-Policy"] == '"minute";q=3;w=60'
        return response.status_code, response["RateLimit"].split(";t=")[0], response.get("Retry-After", "")

    assert [ask()[:2] for _ in range(3)] == [(200, f'"minute";r={left}') for left in (2, 1, 0)]
    assert ask() == (429, '"minute";r=0', "45")
    refused = Client().get(f"{API}conversations/", headers=token)
    assert refused.json()["type"].endswith(":too-many-requests")
    # Others, and what needs no login, are not affected.
    assert hotel.call("aoi", "GET", "conversations/")["RateLimit"] == '"minute";r=2;t=45'
    assert "RateLimit" not in hotel.call("nobody", "GET", "conversations/")
    assert "RateLimit" not in hotel.call("nobody", "GET", "schema/")
    clock.forward(45)
    assert ask()[:2] == (200, '"minute";r=2')


def test_a_cache_that_fails_limits_nobody(hotel: Hotel, settings: Any) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    }
    for _ in range(5):
        response = hotel.call("aoi", "GET", "conversations/")
        assert response.status_code == 200
        assert "RateLimit" not in response


def test_a_limit_that_is_no_number_is_reported(settings: Any) -> None:
    for value, faults in ((-1, 1), ("10", 1), (True, 1), (0, 0), (5, 0)):
        settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "API_REQUESTS_PER_MINUTE": value}
        found = run_checks(tags=["crm_contact_guard"])
        assert sum(each.id == "crm_contact_guard.E063" for each in found) == faults
