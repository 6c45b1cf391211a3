"""The page of a person's tokens for the API: the list, making one, which is shown once, and revoking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.console.page import Shown, page, show
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.tokens import issuing as tokens
from crm_contact_guard.tokens.issuing import NewToken
from crm_contact_guard.tokens.models import ApiToken

SCOPES: Final = {
    "read": (_("Reading"), _("Conversations, messages, alerts and cases that you may see")),
    "send": (_("Sending"), _("Messages, calls and requests for advice in your name")),
    "review": (_("Reviewing"), _("Alerts, held messages and cases that you may work on")),
    "export": (_("Exporting"), _("Many messages at once. Each export is recorded")),
}
DAYS: Final = (7, 30, 90, 180, 365)
#: Tokens on the page. Older ones are revoked or expired.
_MOST: Final = 200


@dataclass(frozen=True)
class TokensPage(Shown):
    """``made``: the new token, which is shown only now. ``wrong``: the field that was refused, ``error``: why."""

    template = "tokens.html"

    viewer: Employee
    tokens: Sequence[ApiToken]
    now: datetime = field(default_factory=timezone.now)
    made: NewToken | None = None
    wrong: str = ""
    error: str = ""
    name: str = ""
    days: str = "90"
    networks: str = ""
    chosen: Sequence[str] = ("read",)

    @property
    def scopes(self) -> Sequence[tuple[str, str | Promise, str | Promise, bool]]:
        return [(scope, label, says, scope in self.chosen) for scope, (label, says) in SCOPES.items()]

    @property
    def lifetimes(self) -> Sequence[int]:
        return DAYS

    @property
    def labels(self) -> Sequence[tuple[ApiToken, Sequence[str | Promise], str]]:
        """The tokens, what each may be used for, and its state: "valid", "expired" or "revoked"."""
        return [(one, [SCOPES[scope][0] for scope in one.scopes.split()], self._state(one)) for one in self.tokens]

    def _state(self, one: ApiToken) -> str:
        if one.revoked_at is not None:
            return "revoked"
        return "valid" if one.expires_at > self.now else "expired"


@page("GET", "HEAD", "POST")
def api_tokens(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """List the tokens that the viewer may see. A POST makes one and shows it, this once."""
    if request.method != "POST":
        return show(request, viewer, TokensPage(viewer, _listed(viewer)))
    given = request.POST
    name, days, networks = given.get("name", ""), given.get("days", ""), given.get("networks", "")
    try:
        made = tokens.token_create(
            actor=viewer,
            employee=viewer,
            name=name,
            lifetime=timedelta(days=int(days) if days.isdecimal() and len(days) < 5 else 0),
            scopes=given.getlist("scope"),
            networks=networks.split(),
        )
    except InvalidMessage as error:
        typed = TokensPage(
            viewer,
            _listed(viewer),
            wrong=error.field,
            error=str(error),
            name=name,
            days=days,
            networks=networks,
            chosen=given.getlist("scope"),
        )
        return show(request, viewer, typed, status=422)
    return show(request, viewer, TokensPage(viewer, _listed(viewer), made=made))


@page("POST")
def revoke(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Revoke a token that the viewer may see."""
    if not tokens.tokens_of(viewer).filter(pk=pk).exists():
        raise Http404
    tokens.token_revoke(pk, actor=viewer)
    return redirect("crm_contact_guard:api_tokens")


def _listed(viewer: Employee) -> Sequence[ApiToken]:
    return list(tokens.tokens_of(viewer)[:_MOST])
