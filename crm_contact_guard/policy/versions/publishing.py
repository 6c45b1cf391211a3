"""Publishes, approves and withdraws versions of the rules, and records the settings' rules when they are first used."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.conf import settings
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.hosting import database
from crm_contact_guard.hosting.insert_once import insert_once
from crm_contact_guard.policy.rulebook import Rulebook
from crm_contact_guard.policy.versions import current
from crm_contact_guard.policy.versions.models import PolicyVersion
from crm_contact_guard.policy.versions.rights import may_set_policy
from crm_contact_guard.record.recording import record_event

#: How far ahead a version may be published.
HORIZON: Final = timedelta(days=366)
#: A form takes time to fill in. A time that has passed since then means now.
_LATE: Final = timedelta(hours=1)
_MAX_REASON: Final = 2000
_State = PolicyVersion.State


@database.atomic()
def version_publish(
    *, rules: Rulebook, reason: str, published_by: Employee, valid_from: datetime | None = None
) -> PolicyVersion:
    """Publish a version and record it whole; or propose it, if ``POLICY_APPROVAL`` asks for a second person.

    ``valid_from`` (aware) is now by default. Raise NotPermitted; or InvalidMessage if the reason is missing, or the
    time is in the past or too far ahead.
    """
    state = _State.PROPOSED if settings.POLICY_APPROVAL else _State.PUBLISHED
    return _create(rules, reason, published_by, state, _checked(valid_from))


@database.atomic()
def shadow_start(*, rules: Rulebook, reason: str, started_by: Employee) -> PolicyVersion:
    """Let rules run silently beside those in force: what they would have done is recorded, and nothing else happens.

    They replace the rules that ran silently before. Raise NotPermitted or InvalidMessage.
    """
    _refuse(started_by)
    for row in PolicyVersion.objects.filter(tenant=started_by.tenant, state=_State.SHADOW):
        version_withdraw(version_id=row.pk, reason=reason, withdrawn_by=started_by)
    return _create(rules, reason, started_by, _State.SHADOW, timezone.now())


@database.atomic()
def version_approve(*, version_id: UUID, approved_by: Employee) -> PolicyVersion:
    """Approve a proposed version, which is then published. If its time has passed, it is valid from now.

    Raise NotPermitted, also to the person who proposed it; or InvalidMessage if it is no longer proposed.
    """
    row = _found(version_id, approved_by)
    if row.author_id == approved_by.pk:
        raise NotPermitted(_("Somebody else has to approve your version."))
    valid_from = max(row.valid_from, timezone.now())
    changes = {"state": _State.PUBLISHED, "approved_by": approved_by, "valid_from": valid_from}
    _change(row, _State.PROPOSED, changes)
    _event(row, "policy.approved", approved_by, None)
    return row


@database.atomic()
def version_withdraw(*, version_id: UUID, reason: str, withdrawn_by: Employee) -> PolicyVersion:
    """Withdraw a version that is proposed, runs silently, or isn't valid yet.

    A version in force can't be withdrawn; publish another one instead. Raise NotPermitted or InvalidMessage.
    """
    row = _found(version_id, withdrawn_by)
    reason = _reason(reason)
    if row.state == _State.PUBLISHED and row.valid_from <= timezone.now():
        raise InvalidMessage(_("This version is already valid. Publish another one instead."), field="version")
    if row.state == _State.WITHDRAWN:
        raise InvalidMessage(_("Somebody has already decided on this version."), field="version")
    _change(row, row.state, {"state": _State.WITHDRAWN})
    _event(row, "policy.withdrawn", withdrawn_by, reason)
    return row


def settings_version_record(rules: Rulebook, tenant: str) -> None:
    """Record the settings' rules, on which a decision rests, unless they are recorded."""
    key = f"{tenant}:{rules.digest}"
    known = PolicyVersion.objects.filter(settings_key=key)
    if known.exists():
        return
    with insert_once(known.first):
        now = timezone.now()
        row = PolicyVersion.objects.create(
            tenant=tenant,
            digest=rules.digest,
            text=rules.text,
            origin=PolicyVersion.Origin.SETTINGS,
            state=_State.PUBLISHED,
            valid_from=now,
            created_at=now,
            settings_key=key,
        )
        _event(row, "policy.used", None, None)


def _create(
    rules: Rulebook, reason: str, author: Employee, state: PolicyVersion.State, valid_from: datetime
) -> PolicyVersion:
    _refuse(author)
    reason = _reason(reason)
    row = PolicyVersion.objects.create(
        tenant=author.tenant,
        digest=rules.digest,
        text=rules.text,
        origin=PolicyVersion.Origin.PAGE,
        state=state,
        valid_from=valid_from,
        author=author,
        created_at=timezone.now(),
    )
    kinds = {_State.PROPOSED: "proposed", _State.PUBLISHED: "published", _State.SHADOW: "shadow_started"}
    _event(row, f"policy.{kinds[state]}", author, reason)
    return row


def _change(row: PolicyVersion, state: str, changes: dict[str, object]) -> None:
    """Change a row that is in this state. The number of updated rows decides who was first."""
    if not PolicyVersion.objects.filter(pk=row.pk, state=state).update(**changes):
        raise InvalidMessage(_("Somebody has already decided on this version."), field="version")
    row.refresh_from_db()


def _found(version_id: UUID, actor: Employee) -> PolicyVersion:
    _refuse(actor)
    row = PolicyVersion.objects.filter(pk=version_id, tenant=actor.tenant).first()
    if row is None:
        raise NotPermitted(_("There is no such version."))
    return row


def _refuse(actor: Employee) -> None:
    if not may_set_policy(actor):
        raise NotPermitted(_("Compliance officers decide on the rules."))


def _reason(text: str) -> str:
    if not text.strip():
        raise InvalidMessage(_("Say in a few words why the rules change."), field="reason")
    return text.strip()[:_MAX_REASON]


def _checked(valid_from: datetime | None) -> datetime:
    now = timezone.now()
    if valid_from is None:
        return now
    if valid_from < now - _LATE:
        raise InvalidMessage(_("This time is in the past."), field="valid_from")
    if valid_from > now + HORIZON:
        raise InvalidMessage(_("This is more than a year ahead."), field="valid_from")
    return max(valid_from, now)


def _event(row: PolicyVersion, kind: str, actor: Employee | None, reason: str | None) -> None:
    current.forget()
    database.on_commit(current.forget)  # another thread may have read before the commit
    record_event(
        kind=kind,
        subject_type="policy",
        subject_id=row.pk,
        by=actor,
        tenant=row.tenant,
        reason=reason,
        row=row,
    )
