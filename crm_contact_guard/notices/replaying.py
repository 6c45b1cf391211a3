"""What was sent to a target and what wasn't, and sending it again once the target works."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from crm_contact_guard.dispatch import later
from crm_contact_guard.hosting import database
from crm_contact_guard.notices import targets
from crm_contact_guard.notices.events import record_notice
from crm_contact_guard.notices.models import Notice


def log(name: str) -> QuerySet[Notice]:
    """Return all notices to a target, the newest first."""
    return Notice.objects.filter(recipient=targets.recipient(name)).order_by("-pk")


@database.atomic()
def replay(name: str, *, since: datetime | None = None, ids: Sequence[int] = ()) -> int:
    """Queue a target's notices again, and return how many: those that failed, or with ``ids``, these, also if sent.

    ``since``: only those created from then on. A webhook keeps its ID, so a receiver recognises what it has already.
    """
    rows = log(name).filter(created_at__gte=since) if since is not None else log(name)
    if ids:
        rows = rows.filter(pk__in=ids, state__in=(Notice.State.FAILED, Notice.State.SENT))
    else:
        rows = rows.filter(state=Notice.State.FAILED)
    found = list(rows.select_for_update(of=("self",)).order_by("pk"))
    for notice in found:
        notice.state, notice.attempts, notice.last_error = Notice.State.QUEUED, 0, ""
        notice.due_at, notice.sent_at = timezone.now(), None
        notice.save(update_fields=["state", "attempts", "last_error", "due_at", "sent_at"])
        record_notice(notice, "notice.due")
        later("notify", str(notice.pk))
    return len(found)
