"""Create, look up and revoke bearer tokens for the API.

Only the SHA-256 digest of a token is stored. Its text is shown once.
"""

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
def token_create(*, employee: Employee, name: str, lifetime: timedelta = DEFAULT_LIFETIME) -> NewToken:
    """Create a token with the employee's permissions.

    Raises NotPermitted if the employee is no longer active, and InvalidMessage (field ``name`` or ``lifetime``) if the
    name is empty or longer than 100 characters, or the lifetime isn't positive or exceeds 366 days.
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
    """Revoke a token immediately. Revoking it again has no effect. Raises ApiToken.DoesNotExist."""
    token = ApiToken.objects.select_for_update().get(pk=token_id)
    if token.revoked_at is None:
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
        _event("token.revoked", token)
    return token


def token_list(user: Any = None) -> QuerySet[ApiToken]:
    """Return all tokens, or one host user's tokens in all tenants, newest first."""
    rows = ApiToken.objects.select_related("employee").order_by("-created_at")
    return rows if user is None else rows.filter(employee__user=user)


def token_find(text: str) -> ApiToken | None:
    """Return the valid token with this text if its owner is active, otherwise None. Updates ``last_used_at``."""
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
