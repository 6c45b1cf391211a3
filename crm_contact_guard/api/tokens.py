"""Bearer tokens for the API: made, looked up and revoked here. Only a SHA-256 is kept; the text is shown once."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.api.models import ApiToken
from crm_contact_guard.directory.host_user import user_is_beside
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.hosting import database
from crm_contact_guard.record.models import Event
from crm_contact_guard.record.recording import record_event

#: Lets secret scanners recognise a leaked token.
PREFIX = "ccg_"
DEFAULT_LIFETIME = timedelta(days=90)
MAX_LIFETIME = timedelta(days=366)
#: How exact ``last_used_at`` is: a write per request would cost more than it tells.
_USED_STEP = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class NewToken:
    """A token just made; ``text`` can't be had again."""

    token: ApiToken
    text: str


def _digest(text: str) -> str:
    # A fast hash is right for 256 random bits: there is nothing to guess (unlike a password).
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


@database.atomic()
def token_create(*, employee: Employee, name: str, lifetime: timedelta = DEFAULT_LIFETIME) -> NewToken:
    """A new token with the employee's rights.

    Raises NotPermitted when they have no part any more, InvalidMessage (field ``name`` or ``lifetime``): no name, no
    time, or more than a year.
    """
    if not employee.active:
        raise NotPermitted(_("%(name)s no longer has access.") % {"name": employee.name})
    name = name.strip()
    if not name or len(name) > 100:
        raise InvalidMessage(_("A token needs a name of 1 to 100 characters."), field="name")
    if not timedelta() < lifetime <= MAX_LIFETIME:
        raise InvalidMessage(
            _("A token lives at least a moment and at most %(days)d days.") % {"days": MAX_LIFETIME.days},
            field="lifetime",
        )
    text = PREFIX + secrets.token_urlsafe(32)
    now = timezone.now()
    token = ApiToken.objects.create(
        employee=employee, name=name, token_hash=_digest(text), created_at=now, expires_at=now + lifetime
    )
    _event("token.created", token)
    return NewToken(token=token, text=text)


@database.atomic()
def token_revoke(token_id: UUID) -> ApiToken:
    """End a token now; again is harmless. Raises ApiToken.DoesNotExist."""
    token = ApiToken.objects.select_for_update().get(pk=token_id)
    if token.revoked_at is None:
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
        _event("token.revoked", token)
    return token


def token_list(user: Any = None) -> QuerySet[ApiToken]:
    """All tokens, or those of one user of the host in all tenants, newest first."""
    rows = ApiToken.objects.select_related("employee").order_by("-created_at")
    return rows if user is None else rows.filter(employee__user=user)


def token_find(text: str) -> ApiToken | None:
    """The valid token with this text, whose owner is active; notes that it was used."""
    now = timezone.now()
    token = (
        ApiToken.objects.filter(token_hash=_digest(text), revoked_at__isnull=True, expires_at__gt=now)
        .filter(employee__active=True, employee__user__isnull=False)
        .select_related("employee__user" if user_is_beside() else "employee")
        .first()
    )
    if token is None:
        return None
    unused = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - _USED_STEP)
    ApiToken.objects.filter(unused, pk=token.pk).update(last_used_at=now)
    return token


def _event(kind: str, token: ApiToken) -> None:
    record_event(
        kind=kind,
        subject_type="token",
        subject_id=token.pk,
        actor_type=Event.ActorType.SYSTEM,
        tenant=token.employee.tenant,
        data={"employee": str(token.employee_id), "expires_at": token.expires_at.isoformat()},
        row=token,
    )
