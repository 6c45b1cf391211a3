"""Delete bundles whose time has passed, bundles that contain erased messages, and what ended jobs left behind."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from crm_contact_guard.exports.bundle_rows import Filters
from crm_contact_guard.exports.jobs import parts
from crm_contact_guard.exports.jobs.models import ExportJob
from crm_contact_guard.exports.jobs.requesting import record_job
from crm_contact_guard.hosting import database
from crm_contact_guard.record.models import Message

_State = ExportJob.State
#: The remark of a bundle that was deleted before its time.
ERASED: Final = gettext_noop("Messages in it were erased.")


def expire_due() -> int:
    """Delete the bundles whose time has passed. Return how many there were."""
    rows = ExportJob.objects.filter(state=_State.READY, expires_at__lte=timezone.now())
    expired = sum(_expire(job, "") for job in rows.order_by("pk")[:200])
    clear_ended()
    return expired


def clear_ended() -> int:
    """Delete what ended jobs stored and no longer need. Return how many jobs there were.

    A cancelled job may still have a worker, which stops at its next part. Its folder is cleared again once the worker's
    lease has expired.
    """
    ended = ExportJob.objects.filter(cleared=False).exclude(state__in=ExportJob.OPEN)
    rows = ended.filter(Q(lease_until=None) | Q(lease_until__lt=timezone.now()))
    count = 0
    for job in rows.order_by("pk")[:200]:
        parts.clear(job, keep=job.stored_as)
        count += ExportJob.objects.filter(pk=job.pk, state=job.state).update(cleared=True)
    return count


def forget(message_ids: Sequence[UUID]) -> None:
    """Delete the finished bundles that contain these erased messages. Called within the transaction of the erasure.

    An unfinished one begins again: the UPDATE makes its worker's next one fail, even if that has begun. Files are
    deleted after the commit or by the sweep.
    """
    rows = Message.objects.filter(pk__in=message_ids)
    for job in ExportJob.objects.filter(state__in=(_State.RUNNING, _State.READY)):
        filters = Filters.of(json.loads(job.filters))
        if not any(rows.filter(part).exists() for part in filters.parts("message")):
            continue
        again = ExportJob.objects.filter(pk=job.pk, state=_State.RUNNING)
        if again.update(work="", done=0, attempts=F("attempts") + 1, lease_until=timezone.now()):
            continue
        if _expire(job, ERASED):
            database.on_commit(clear_ended)


@database.atomic()
def _expire(job: ExportJob, remark: str) -> bool:
    values = {"state": _State.EXPIRED, "stored_as": "", "cleared": False, "expires_at": timezone.now()}
    if not ExportJob.objects.filter(pk=job.pk, state=_State.READY).update(**values, remark=remark):
        return False
    job.refresh_from_db()
    record_job(job, "export.expired", None)
    return True
