"""Create, look up and revoke bearer tokens for the API.

Only the SHA-256 digest of a token is stored. Its text is shown once.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.directory.host_user import user_is_beside
from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.hosting import database
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.tokens.models import SCOPES, ApiToken

#: Lets secret scanners recognise a leaked token.
PREFIX = "ccg_"
DEFAULT_LIFETIME = timedelta(days=90)
MAX_LIFETIME = timedelta(days=366)
#: Precision of ``last_used_at``. Writing it on every request would cost more than the precision is worth.
_USED_STEP = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class NewToken:
    """A newly created token. ``text`` can't be retrieved again."""

    token: ApiToken
    text: str


def _digest(text: str) -> str:
    # A fast hash is safe for 256 random bits, which can't be guessed as a password can.
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


@database.atomic()
def token_create(
    *,
    employee: Employee,
    name: str,
    lifetime: timedelta = DEFAULT_LIFETIME,
    scopes: Collection[str] = SCOPES,
    networks: Sequence[str] = (),
    actor: Employee | None = None,
) -> NewToken:
    """Create a token with the employee's permissions, restricted to ``scopes``.

    It is accepted from ``networks`` only (IP addresses, or networks in CIDR notation), or from everywhere. ``actor`` is
    the person who creates it, None for an operator. Raises NotPermitted if the employee is no longer active or isn't
    the actor, and InvalidMessage (field ``name``, ``lifetime``, ``scopes`` or ``networks``) for a name that is empty or
    longer than 100 characters, a lifetime that isn't positive or exceeds 366 days, and unknown scopes and networks.
    """
    if not employee.active or (actor is not None and actor.pk != employee.pk):
        raise NotPermitted(_("%(name)s no longer has access.") % {"name": employee.name})
    name = name.strip()
    if not name or len(name) > 100:
        raise InvalidMessage(_("A token needs a name of 1 to 100 characters."), field="name")
    if not timedelta() < lifetime <= MAX_LIFETIME:
        raise InvalidMessage(
            _("A token lives at least a moment and at most %(days)d days.") % {"days": MAX_LIFETIME.days},
            field="lifetime",
        )
    if not scopes or set(scopes) - set(SCOPES):
        raise InvalidMessage(_("Choose what the token may be used for."), field="scopes")
    text = PREFIX + secrets.token_urlsafe(32)
    now = timezone.now()
    token = ApiToken.objects.create(
        employee=employee,
        name=name,
        token_hash=_digest(text),
        created_at=now,
        expires_at=now + lifetime,
        scopes=" ".join(scope for scope in SCOPES if scope in scopes),
        networks=_networks(networks),
    )
    _event("token.created", token, actor)
    return NewToken(token=token, text=text)


def _networks(texts: Sequence[str]) -> str:
    found = " ".join(map(_network, texts))
    if len(found) > 1000:
        raise InvalidMessage(_("These are too many networks."), field="networks")
    return found


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError as error:
        raise InvalidMessage(
            _("%(network)s is no network. Write 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32.")
            % {"network": text[:50]},
            field="networks",
        ) from error


@database.atomic()
def token_revoke(token_id: UUID, *, actor: Employee | None = None) -> ApiToken:
    """Revoke a token immediately. Revoking it again has no effect.

    ``actor`` is the person who revokes it, None for an operator. Raises ApiToken.DoesNotExist, and NotPermitted unless
    it is the actor's own token or the actor is a compliance officer.
    """
    token = ApiToken.objects.select_for_update().get(pk=token_id)
    if actor is not None and not tokens_of(actor).filter(pk=token.pk).exists():
        raise NotPermitted(_("You may revoke your own tokens only."))
    if token.revoked_at is None:
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
        _event("token.revoked", token, actor)
    return token


def tokens_of(viewer: Employee) -> QuerySet[ApiToken]:
    """Return the tokens that a person may see and revoke, newest first: their own; compliance officers all."""
    rows = ApiToken.objects.select_related("employee").order_by("-created_at")
    if not viewer.active:
        return rows.none()
    everybody = viewer.role == Role.COMPLIANCE
    return rows.filter(employee__tenant=viewer.tenant) if everybody else rows.filter(employee=viewer)


def token_list(user: Any = None) -> QuerySet[ApiToken]:
    """Return all tokens, or one host user's tokens in all tenants, newest first."""
    rows = ApiToken.objects.select_related("employee").order_by("-created_at")
    return rows if user is None else rows.filter(employee__user=user)


def token_find(text: str, address: str = "") -> ApiToken | None:
    """Return the valid token with this text if its owner is active, otherwise None. Updates ``last_used_at``.

    ``address`` is the caller's IP address. A token for certain networks is valid only there.
    """
    now = timezone.now()
    token = (
        ApiToken.objects.filter(token_hash=_digest(text), revoked_at__isnull=True, expires_at__gt=now)
        .filter(employee__active=True, employee__user__isnull=False)
        .select_related("employee__user" if user_is_beside() else "employee")
        .first()
    )
    if token is None or (token.networks and not _within(address, token.networks)):
        return None
    unused = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - _USED_STEP)
    ApiToken.objects.filter(unused, pk=token.pk).update(last_used_at=now)
    return token


def _within(address: str, networks: str) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    # An IPv4 address that a dual-stack socket reports as IPv6 (RFC 4291 §2.5.5.2).
    found = getattr(found, "ipv4_mapped", None) or found
    return any(found in ip_network(network) for network in networks.split())


def _event(kind: str, token: ApiToken, actor: Employee | None) -> None:
    record_event(
        kind=kind,
        subject_type="token",
        subject_id=token.pk,
        by=actor,
        tenant=token.employee.tenant,
        data={"employee": str(token.employee_id), "expires_at": token.expires_at.isoformat()},
        row=token,
    )
