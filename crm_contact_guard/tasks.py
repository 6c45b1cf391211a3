"""The asynchronous half: all that happens after a message is recorded.

Every task is thin, takes ids as text, starts after commit and may run twice. ``sweep`` finds what a dead process or a
broker that was down left lying, so that nothing depends on a task message surviving.
"""

from __future__ import annotations

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from crm_contact_guard import crm
from crm_contact_guard.directory.mirror import sync_all
from crm_contact_guard.dispatch import later
from crm_contact_guard.ledger import delivery, outbox, sealing, witnessing
from crm_contact_guard.ledger.models import Message
from crm_contact_guard.supervision import inspection, notices
from crm_contact_guard.supervision.models import Alert


@shared_task(acks_late=True, ignore_result=True)
def deliver(message_id: str) -> None:
    """Hand one message to its carrier, if no other worker does."""
    delivery.deliver(UUID(message_id))


@shared_task(acks_late=True, ignore_result=True)
def inspect(message_id: str) -> None:
    """Inspect one message; warn about what is found."""
    message = Message.objects.select_related("conversation", "employee").get(pk=message_id)
    with crm.adapter().tenant(message.tenant):
        for alert in inspection.inspect(message):
            later("notify", str(alert.pk))


@shared_task(acks_late=True, ignore_result=True)
def notify(alert_id: str) -> None:
    """Send the warnings of one alert that still wait."""
    for notice_id in notices.due(Alert.objects.get(pk=alert_id)):
        notices.notice_send(notice_id)


@shared_task(ignore_result=True)
def sweep() -> dict[str, int]:
    """Resume what was left lying: outbox, uninspected messages, unsent warnings. Returns how many of each."""
    messages = outbox.due(timezone.now())
    for message_id in messages:
        deliver.run(str(message_id))
    unseen = inspection.uninspected()
    for message in unseen:
        inspect.run(str(message.pk))
    waiting = notices.due()
    for notice_id in waiting:
        notices.notice_send(notice_id)
    return {"delivered": len(messages), "inspected": len(unseen), "notified": len(waiting)}


@shared_task(ignore_result=True)
def sync_directory() -> dict[str, int]:
    """Mirror the host's people."""
    return sync_all()


@shared_task(ignore_result=True)
def seal() -> int:
    """Give the rows recorded since the last run their place in the tree. Returns how many."""
    return sealing.seal().rows


@shared_task(ignore_result=True)
def witness() -> list[str]:
    """Hand the newest checkpoint to the witnesses whose time has come. Returns their names."""
    return witnessing.keep_due()
