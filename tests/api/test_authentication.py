"""Tokens, sessions and what a host adds; and a host whose DRF settings are all wrong for us."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.http import HttpRequest
from django.test import Client, override_settings
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication

from crm_contact_guard.api import urls
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.record.models import Event
from crm_contact_guard.tokens import issuing as tokens
from crm_contact_guard.tokens.models import ApiToken
from tests.api.conftest import API, Hotel

BADGE = "tests.api.test_authentication.BadgeAuthentication"


class BadgeAuthentication(BaseAuthentication):
    """What a host may have: a header with the login name."""

    def authenticate(self, request: HttpRequest) -> tuple[object, None] | None:
        from tests.host.models import User

        user = User.objects.filter(email=request.headers.get("Badge", "")).first()
        return None if user is None else (user, None)


def get(text: str, scheme: str = "Bearer") -> int:
    return Client().get(f"{API}conversations/", headers={"Authorization": f"{scheme} {text}"}).status_code


def test_a_token_is_its_owner_and_is_kept_as_a_hash(hotel: Hotel) -> None:
    new = tokens.token_create(employee=hotel.people["aoi"], name="warehouse")

    assert len(new.text) > 43
    assert new.token.token_hash == hashlib.sha256(new.text.encode()).hexdigest()
    answer = Client().get(f"{API}conversations/", headers={"Authorization": f"Bearer {new.text}"})
    assert [row["id"] for row in answer.json()["results"]] == [str(hotel.talk.pk)]
    assert get(new.text, "bearer") == 200
    new.token.refresh_from_db()
    assert new.token.last_used_at is not None
    event = Event.objects.get(kind="token.created")
    assert new.text not in event.data


@pytest.mark.parametrize("text", ["", "ccg_", "ccg_wrong", "x", "ccg_" + "é", "ccg_a b", "ccg_" + "x" * 4000])
def test_a_wrong_token_is_no_login(hotel: Hotel, text: str) -> None:
    assert get(text) == 401
    assert get(text, "Basic") == 401


#: The scope of each address, for reading and for writing.
SCOPES = {
    "access-log/": "read", "alerts/": "read", "findings/": "read", "files/": "read", "templates/": "read",
    "ledger/": "read", "messages/": "read send", "conversations/": "read send", "consultations/": "read send",
    "rules/": "read send", "scan/": "read read", "holds/": "read review", "cases/": "read review",
    "figures/": "read", "hours/": "read", "me/": "read send", "exports/": "export export",
    "alerts/<str:pk>/": "read review", "messages.jsonl": "export", "messages.csv": "export",
}  # fmt: skip


def test_each_address_needs_its_scope(hotel: Hotel) -> None:
    """Without the scope every address answers 403 before anything else; with it alone, no scope is missing."""
    aoi = hotel.people["aoi"]
    scopes = ("read", "send", "review", "export")
    texts = {scope: tokens.token_create(employee=aoi, name=scope, scopes=[scope]).text for scope in scopes}
    for pattern in urls.urlpatterns:
        path = str(pattern.pattern)
        if path == "schema/":
            continue
        longest = max((known for known in SCOPES if path.startswith(known)), key=len)
        reading, *writing = SCOPES[longest].split()
        for method in {"get", "post"} & {name for name in dir(pattern.callback.cls) if name in ("get", "post")}:  # type: ignore[union-attr]
            needed = reading if method == "get" else writing[0]
            for scope, text in texts.items():
                response = Client().generic(
                    method.upper(),
                    API + path.replace("<str:pk>", "x"),
                    headers={"Authorization": f"Bearer {text}"},
                )
                refused = response.status_code == 403 and "insufficient_scope" in response.get("WWW-Authenticate", "")
                assert refused == (scope != needed), (method, path, scope)
                if refused:
                    assert response.json()["type"].endswith(":insufficient-scope")
                    assert f'scope="{needed}"' in response["WWW-Authenticate"]


def test_a_token_ends(hotel: Hotel) -> None:
    aoi = hotel.people["aoi"]
    expired = tokens.token_create(employee=aoi, name="old")
    ApiToken.objects.filter(pk=expired.token.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    revoked = tokens.token_create(employee=aoi, name="lost")
    tokens.token_revoke(revoked.token.pk)
    tokens.token_revoke(revoked.token.pk)
    good = tokens.token_create(employee=aoi, name="good")

    assert (get(expired.text), get(revoked.text), get(good.text)) == (401, 401, 200)
    assert Event.objects.filter(kind="token.revoked").count() == 1

    aoi.user.is_active = False
    aoi.user.save()
    assert get(good.text) == 401
    aoi.user.is_active = True
    aoi.user.save()
    type(aoi).objects.filter(pk=aoi.pk).update(active=False)
    assert get(good.text) == 401
    type(aoi).objects.filter(pk=aoi.pk).update(active=True, user=None)
    assert get(good.text) == 401


@pytest.mark.parametrize(
    ("name", "days"), [("", 1), (" ", 1), ("x" * 101, 1), ("fine", 0), ("fine", -1), ("fine", 367)]
)
def test_a_token_has_a_name_and_an_end(hotel: Hotel, name: str, days: int) -> None:
    with pytest.raises(InvalidMessage):
        tokens.token_create(employee=hotel.people["aoi"], name=name, lifetime=timedelta(days=days))


def test_the_command_makes_lists_and_revokes(hotel: Hotel) -> None:
    def run(*args: str) -> str:
        out = StringIO()
        call_command("contact_guard_token", *args, stdout=out, stderr=StringIO())
        return out.getvalue().strip()

    text = run("create", "aoi@kaede.example", "--name", "warehouse", "--days", "3")
    assert get(text) == 200
    token = ApiToken.objects.get()
    assert token.expires_at - token.created_at == timedelta(days=3)
    assert str(token.pk) in run("list")
    assert "valid" in run("list", "aoi@kaede.example")
    assert text not in run("list")
    run("revoke", str(token.pk))
    assert "revoked" in run("list")
    assert get(text) == 401
    for wrong in (
        ["create", "who@kaede.example", "--name", "x"],
        ["create", "aoi@kaede.example", "--name", "x", "--days", "9999"],
        ["revoke", "00000000-0000-0000-0000-000000000000"],
    ):
        with pytest.raises(CommandError):
            run(*wrong)


def test_a_host_adds_its_own_authentication(hotel: Hotel) -> None:
    headers = {"Badge": "aoi@kaede.example"}
    assert Client().get(f"{API}conversations/", headers=headers).status_code == 401
    with override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, "API_AUTHENTICATION_CLASSES": [BADGE]}):
        assert Client().get(f"{API}conversations/", headers=headers).status_code == 200
