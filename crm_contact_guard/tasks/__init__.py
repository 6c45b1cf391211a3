"""Celery tasks for everything that happens after a message was recorded.

Tasks contain no logic, take IDs as text, start after the commit and may run twice. ``sweep`` reschedules work that was
left undone because a process crashed or the broker was unavailable, so lost task messages do no harm. All tasks are
defined in this module, because Celery names a task after its module, and hosts refer to these names.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import asdict
from uuid import UUID

from celery import Task, shared_task
from celery.signals import task_prerun, worker_init
from django.db.models import Model
from django.utils import timezone

from crm_contact_guard import crm
from crm_contact_guard.conversations import names
from crm_contact_guard.conversations.restrictions.models import Restriction
from crm_contact_guard.delivery import attempts
from crm_contact_guard.directory.models import Customer, Employee
from crm_contact_guard.directory_sync import sync_all
from crm_contact_guard.dispatch import later
from crm_contact_guard.exceptions import ChannelError, ConfigurationError
from crm_contact_guard.exports import checking
from crm_contact_guard.exports.jobs import clearing, repeating, working
from crm_contact_guard.exports.jobs.models import ExportJob
from crm_contact_guard.figures import keeping
from crm_contact_guard.files import media
from crm_contact_guard.files.models import Media
from crm_contact_guard.hosting import database, logs
from crm_contact_guard.intake import mail_polling, reconciling
from crm_contact_guard.notices import outbox as notices
from crm_contact_guard.notices.models import Notice
from crm_contact_guard.policy import hours, restriction_notices
from crm_contact_guard.policy.closing import answering
from crm_contact_guard.reading.models import ReaderAnswer
from crm_contact_guard.record.models import Message
from crm_contact_guard.roster_sync import roster_read
from crm_contact_guard.sealing import sealer, witnessing
from crm_contact_guard.search import filling
from crm_contact_guard.sending import releasing
from crm_contact_guard.supervision import inspection
from crm_contact_guard.supervision.quality import drawing
from crm_contact_guard.supervision.quality.assigning import second_reviews_reassign
from crm_contact_guard.supervision.rehearsing import trials
from crm_contact_guard.supervision.second_reading import second_reader
from crm_contact_guard.supervision.unread.telling import unread_tell
from crm_contact_guard.supervision.unsigned import reminding
from crm_contact_guard.supervision.urgent.telling import urgent_tell
from crm_contact_guard.supervision.watching import noticing
from crm_contact_guard.tasks import sweeping

logger = logs.logger(__name__)


def _tenant_of(model: type[Model], key: str, path: str = "tenant") -> AbstractContextManager[None]:
    """Enter the tenant of the row with this primary key. ``path`` leads from the row to its tenant."""
    return crm.tenant(model._default_manager.values_list(path, flat=True).get(pk=key))


@worker_init.connect
def warm_up(**_: object) -> None:
    """Load the holidays before the worker takes its first task, and before a pool of processes is forked."""
    hours.warm_up()


@task_prerun.connect
def renew_connections(task: Task[..., None], **_: object) -> None:
    """Let none of our tasks fail because the database was restarted after the task before it."""
    if task.name.startswith(f"{__name__}."):
        database.close_broken()


@shared_task(acks_late=True, ignore_result=True)
def deliver(message_id: str) -> None:
    """Send one message to its carrier, unless another worker is already sending it."""
    with _tenant_of(Message, message_id):
        attempts.deliver(UUID(message_id))


@shared_task(acks_late=True, ignore_result=True)
def release(message_id: str) -> None:
    """Let one message go whose time has come, or end a hold whose deadline has passed."""
    with _tenant_of(Message, message_id):
        releasing.release(UUID(message_id))


@shared_task(acks_late=True, ignore_result=True)
def inspect(message_id: str) -> None:
    """Inspect one message. Before, tell people of it, at once if it is urgent, and answer it if nobody works.

    The sweep repeats this task until the message is inspected, so the automatic answer isn't lost if a process dies.
    """
    message = Message.objects.select_related("conversation", "employee").get(pk=message_id)
    with crm.tenant(message.tenant):
        try:
            answering.answer(message, urgent_tell(message))
            unread_tell(message)
        except ConfigurationError:
            logger.exception("Message %s gets no automatic answer, and nobody is told of it", message_id)
        inspection.inspect(message)


@shared_task(acks_late=True, ignore_result=True)
def fetch(media_id: str) -> None:
    """Fetch one file from a carrier, and have it inspected."""
    tenant = Media.objects.values_list("message__tenant", flat=True).filter(pk=media_id).first()
    if tenant is None:
        return  # fetched already
    with crm.tenant(tenant):
        message = media.fetch(UUID(media_id))
        if message is not None:
            later("inspect", str(message.pk))


@shared_task(bind=True, acks_late=True, ignore_result=True, max_retries=8)
def learn_name(self: Task[..., None], customer_id: str, alias: str) -> None:
    """Ask a carrier for an unknown sender's name. Retry after a minute, doubling the delay each time."""
    tenant = Customer.objects.values_list("tenant", flat=True).get(pk=customer_id)
    try:
        with crm.tenant(tenant):
            names.learn(UUID(customer_id), alias)
    except ChannelError as error:
        logger.warning("Could not ask channel %s for a name: %s", alias, error)
        # Don't retry in a process without workers. The sender's next message triggers another attempt.
        if not error.permanent and not self.request.called_directly:
            raise self.retry(countdown=60 * 2**self.request.retries) from error


@shared_task(acks_late=True, ignore_result=True)
def notify(notice_id: str) -> None:
    """Send one notice, unless another worker is already sending it."""
    found = Notice.objects.filter(pk=notice_id).values_list("employee__tenant", "conversation__tenant").first()
    if found is None:
        return  # cancelled
    with crm.tenant(found[0] or found[1] or ""):
        notices.notice_send(int(notice_id))


@shared_task(acks_late=True, ignore_result=True)
def restriction_tell(restriction_id: str) -> None:
    """Tell a customer that their contact is limited, unless they have been told."""
    with _tenant_of(Restriction, restriction_id):
        restriction_notices.restriction_tell(UUID(restriction_id))


@shared_task(acks_late=True, ignore_result=True)
def reader_ask(answer_id: str) -> None:
    """Ask the second reader one question. If its answer keeps or raises an alert, its people are told."""
    with _tenant_of(ReaderAnswer, answer_id, "message__tenant"):
        second_reader.ask(UUID(answer_id))


@shared_task(acks_late=True, ignore_result=True)
def rehearse(trial_id: str) -> None:
    """Try rules on further past messages, and leave the rest to the next task."""
    trials.trial_continue(UUID(trial_id))


@shared_task(acks_late=True, ignore_result=True)
def export(job_id: str) -> None:
    """Write one bundle, or go on with it, unless another worker does."""
    with _tenant_of(ExportJob, job_id):
        working.export_run(UUID(job_id))


@shared_task(acks_late=True, ignore_result=True)
def verify_record(event_id: str) -> None:
    """Verify the whole record, as somebody asked."""
    checking.verification_run(event_id)


@shared_task(ignore_result=True)
def sweep_exports() -> int:
    """Ask for repeated exports, reschedule those whose worker died, and delete bundles whose time has passed.

    Return how many were deleted.
    """
    repeating.run_due()
    for job_id in working.due():
        later("export", str(job_id))
    for event_id in checking.due():
        later("verify_record", event_id)
    return clearing.expire_due()


@shared_task(ignore_result=True)
def sweep(days: int = 2) -> dict[str, int]:
    """Reschedule overdue work (``tasks.sweeping``) and return the number of tasks of each kind."""
    return sweeping.work_reschedule(days)


@shared_task(ignore_result=True)
def remind_of_rules() -> int:
    """Remind people of rules that they haven't signed, as notices. Return how many."""
    now = timezone.now()
    reminding.expect(now)
    return sum(reminding.remind(one) for one in reminding.due(now))


@shared_task(ignore_result=True)
def draw_sample() -> int:
    """Draw the weeks whose sample for review is due, and find reviewers for second reviews. Return how many weeks."""
    drawn = drawing.draw_due(timezone.now())
    second_reviews_reassign()
    return drawn


@shared_task(ignore_result=True)
def count_figures() -> int:
    """Bring the figures in step with the record. Return the number of days that were counted again."""
    return keeping.update_all()


@shared_task(ignore_result=True)
def fill_search() -> int:
    """Add new messages to the search index. Return how many."""
    return filling.fill()


@shared_task(ignore_result=True)
def watch_readings() -> int:
    """Look for unusual reading in the access log. Return the number of readings found or extended."""
    return noticing.readings_watch()


@shared_task(ignore_result=True)
def poll_mail() -> dict[str, int]:
    """Poll the mailboxes of all email channels that have one. This task can safely run concurrently."""
    return asdict(mail_polling.poll_all())


@shared_task(ignore_result=True)
def reconcile() -> dict[str, int]:
    """Compare yesterday's record with the carriers' logs. Return the number of gaps by channel."""
    day = reconciling.yesterday()
    results = [reconciling.reconcile(channel, day) for channel in reconciling.channels()]
    return {result.channel: len(result.gaps) for result in results if result.asked}


@shared_task(ignore_result=True)
def sync_directory() -> dict[str, int]:
    """Mirror the host's directory. Return the number of teams, employees and customers."""
    return sync_all()


@shared_task(acks_late=True, ignore_result=True)
def read_roster(employee_id: str) -> None:
    """Read one employee's iCalendar roster."""
    with _tenant_of(Employee, employee_id):
        roster_read(UUID(employee_id))


@shared_task(ignore_result=True)
def seal() -> int:
    """Seal all pending rows. Return the number of rows."""
    return sealer.seal().rows


@shared_task(ignore_result=True)
def witness() -> list[str]:
    """Send the newest checkpoint to the witnesses that are due. Return their names."""
    return witnessing.keep_due()
