"""The page of tokens: a token is shown once, does what was chosen, and can be revoked."""

from __future__ import annotations

import re

from django.test import Client

from crm_contact_guard.tokens.models import ApiToken
from tests.console.conftest import Hotel, url


def test_a_token_is_shown_once_and_revoked(hotel: Hotel) -> None:
    browser, form = hotel.browser("aoi"), {"name": "Warehouse", "days": "30", "scope": ["read", "export"]}
    for wrong, says in (
        ({"networks": "10.0.0.1/8"}, "10.0.0.1/8 is no network"),
        ({"days": "9000"}, "at most 366 days"),
        ({"scope": []}, "Choose what"),
        ({"scope": ["root"]}, "Choose what"),
        ({"name": " "}, "needs a name"),
    ):
        refused = browser.post(url("api_tokens"), {**form, **wrong})
        assert refused.status_code == 422
        assert says in refused.content.decode()
        assert "Warehouse" in refused.content.decode() or "name" in wrong
    assert not ApiToken.objects.exists()

    made = browser.post(url("api_tokens"), {**form, "networks": "203.0.113.7\n2001:db8::/32"})
    assert "no-store" in made["Cache-Control"]
    [text] = set(re.findall(r"ccg_[\w-]{43}", made.content.decode()))
    token = ApiToken.objects.get()
    assert (token.scopes, token.networks) == ("read export", "203.0.113.7/32 2001:db8::/32")

    def status(address: str, path: str = "conversations/") -> int:
        headers = {"Authorization": f"Bearer {text}"}
        return Client().get(f"/guard/api/v1/{path}", headers=headers, REMOTE_ADDR=address).status_code

    addresses = ("203.0.113.7", "203.0.113.8", "2001:db8::5", "::ffff:203.0.113.7", "", "unix:")
    assert [status(each) for each in addresses] == [200, 401, 200, 200, 401, 401]
    page = browser.get(url("api_tokens")).content.decode()
    assert text not in page
    assert "Last used" in page
    assert "Warehouse" not in hotel.browser("chief").get(url("api_tokens")).content.decode()
    assert "Warehouse" in hotel.browser("compliance").get(url("api_tokens")).content.decode()

    assert hotel.browser("compliance").post(url("api_token_revoke", token.pk)).status_code == 302
    assert status("203.0.113.7") == 401
    assert "Revoked" in browser.get(url("api_tokens")).content.decode()
