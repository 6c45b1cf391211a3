"""The worker's side of an export: write the rows in parts, then assemble the bundle, store it and say so.

A worker may be killed at any line. The extent of the bundle is stored before the first row is read, and a part counts
once the job's row names it. The next worker goes on after the last part. Since the same order and extent always give
the same bytes, a bundle doesn't show whether its worker was killed.

Two workers never write the same job: ``attempts`` is raised at each claim, and each later UPDATE requires the worker's
own number. A worker whose UPDATE changes nothing was cancelled or replaced, and stops.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from hashlib import sha256
from itertools import chain, islice
from tempfile import TemporaryFile
from typing import IO, Any, Final, cast
from uuid import UUID

from django.core.files.base import File
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.conf import settings
from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.exports import bundle, profiles
from crm_contact_guard.exports.bundle_rows import Filters, Selection
from crm_contact_guard.exports.formats import formats_add
from crm_contact_guard.exports.jobs import parts, telling
from crm_contact_guard.exports.jobs.models import ExportJob
from crm_contact_guard.exports.jobs.parts import Part, PartLost
from crm_contact_guard.exports.jobs.remarks import remark_of
from crm_contact_guard.exports.jobs.requesting import record_job
from crm_contact_guard.hosting import database, logs, retrying
from crm_contact_guard.hosting.languages import speaking
from crm_contact_guard.proof.canonical import RowKind
from crm_contact_guard.proof.errors import TileBroken
from crm_contact_guard.record.models import Event
from crm_contact_guard.sealing.sealer import SealingRefused

logger = logs.logger(__name__)

#: Rows per part. A killed worker loses at most one.
PART: Final = 5000
#: A worker that hasn't said anything for this long is dead.
_LEASE: Final = timedelta(minutes=3)
#: How often a worker says that it lives, in seconds.
_BEAT: Final = 2.0
#: After this many attempts, something in the export kills its workers.
MAX_ATTEMPTS: Final = 20
_KINDS: Final[tuple[RowKind, ...]] = ("message", "event")
_State = ExportJob.State


class _Stopped(Exception):
    """The job was cancelled, or another worker has it."""


def due(limit: int = 50) -> list[UUID]:
    """Return the IDs of the jobs that wait for a worker or whose worker died."""
    now = timezone.now()
    rows = ExportJob.objects.filter(state=_State.QUEUED) | ExportJob.objects.filter(
        retrying.left(now, held=_State.RUNNING)
    )
    return list(rows.order_by("requested_at").values_list("pk", flat=True)[:limit])


def export_run(job_id: UUID) -> bool:
    """Write one bundle, or go on with it. Return whether it is ready now. If it can't be written, say why."""
    job = _claim(job_id)
    if job is None:
        return False
    worker = _Worker(job)
    try:
        with speaking(job.requested_by.language):
            worker.run()
    except _Stopped:
        parts.clear(job)
        return False
    except PartLost:
        logger.exception("Export %s begins again, since a stored part is missing", job.pk)
        worker.begin_again()
        return False
    except SealingRefused as error:
        if worker.is_outdated():
            logger.warning("Export %s begins again, since rows were erased while it was written", job.pk)
            worker.begin_again()
        else:
            logger.exception("Export %s failed", job.pk)
            worker.fail(str(error))
        return False
    except (ConfigurationError, TileBroken, OSError) as error:
        logger.exception("Export %s failed", job.pk)
        worker.fail(str(error))
        return False
    return True


def _claim(job_id: UUID) -> ExportJob | None:
    now = timezone.now()
    with database.atomic():
        rows = ExportJob.objects.filter(pk=job_id)
        fresh = rows.filter(state=_State.QUEUED).update(
            state=_State.RUNNING, attempts=F("attempts") + 1, lease_until=now + _LEASE
        )
        if not fresh and not rows.filter(retrying.left(now, held=_State.RUNNING)).update(
            attempts=F("attempts") + 1, lease_until=now + _LEASE
        ):
            return None
        job = rows.select_related("requested_by").get()
        if fresh:
            record_job(job, "export.started", None)
    return job


@dataclass
class _Worker:
    job: ExportJob
    extent: bundle.Extent | None = None
    parts: list[Part] = field(default_factory=list)
    #: Kinds whose rows are all in parts.
    whole: list[str] = field(default_factory=list)
    _last_beat: float = 0.0

    def __post_init__(self) -> None:
        profile = self.job.profile
        self.order = bundle.Order(
            filters=Filters.of(json.loads(self.job.filters)),
            redacted=profiles.REDACTED[profile],
            redact=profiles.of(profile),
            attachments=self.job.attachments,
            profile=profile,
        )
        if self.job.work:
            work = json.loads(self.job.work)
            self.extent = bundle.Extent(**{**work["extent"], "export": UUID(work["extent"]["export"])})
            self.parts, self.whole = work["parts"], work["whole"]

    def run(self) -> None:
        """Do what is left to do. Raise _Stopped."""
        if self.job.attempts > MAX_ATTEMPTS:
            self.fail(_("Its worker ended unexpectedly %(count)s times.") % {"count": MAX_ATTEMPTS})
            raise _Stopped
        if self.extent is None:
            self.extent = self._open()
        selection = bundle.select(self.order, self.extent)
        self._note(total=len(selection))
        for kind in _KINDS:
            self._write_parts(selection, kind)
        self._finish(self.extent, selection)

    def fail(self, reason: str) -> None:
        """End the job with a reason."""
        self._end("export.failed", state=_State.FAILED, remark=reason[:2000])

    def is_outdated(self) -> bool:
        """Whether rows were erased since the extent was sealed."""
        return self.extent is not None and bundle.erasures() != self.extent.erasures

    def begin_again(self) -> None:
        """Forget the parts. The sweep starts the job again."""
        self._update(work="", done=0, lease_until=timezone.now())

    def _open(self) -> bundle.Extent:
        """Record the export, seal the record, and store the extent."""
        erased = bundle.erasures()
        with database.atomic():
            self._note()
            event = bundle.export_record(
                self.order,
                actor_type=Event.ActorType.EMPLOYEE,
                actor=str(self.job.requested_by_id),
                tenant=self.job.tenant,
                reason=self.job.purpose,
                subject=str(self.job.pk),
            )
        extent = bundle.extent_seal(event.pk, erased)
        self._store(extent)
        return extent

    def _write_parts(self, selection: Selection, kind: RowKind) -> None:
        if kind in self.whole:
            return
        stored = [part for part in self.parts if part["kind"] == kind]
        lines = selection.lines(kind, self.order.redact, skip=sum(part["rows"] for part in stored))
        number = len(stored)
        while first := next(lines, None):
            part = parts.part_store(self.job, kind, number, self._beating(chain((first,), islice(lines, PART - 1))))
            self.parts.append(part)
            number += 1
            self._store(cast("bundle.Extent", self.extent))
        self.whole.append(kind)
        self._store(cast("bundle.Extent", self.extent))

    def _finish(self, extent: bundle.Extent, selection: Selection) -> None:
        rows = {kind: sum(part["rows"] for part in self.parts if part["kind"] == kind) for kind in _KINDS}
        with TemporaryFile() as file:
            written = bundle.bundle_assemble(
                file,
                self.order,
                extent,
                selection,
                self._lines,
                add=lambda writer: formats_add(
                    writer,
                    self.job.formats.split(","),
                    self._lines,
                    bundle.attached if self.order.with_files else None,
                    self.beat,
                ),
            )
            size = file.tell()
            file.seek(0)
            hashed = sha256()
            while chunk := file.read(1 << 20):
                hashed.update(chunk)
            file.seek(0)
            name = f"{parts.folder(self.job)}/bundle-{uuid7()}.zip"
            stored = parts.backend().save(name, File(cast("IO[Any]", _Beating(file, self))))
        now = timezone.now()
        ended = self._end(
            "export.ready",
            state=_State.READY,
            expires_at=now + timedelta(days=settings.EXPORT_DAYS),
            stored_as=stored,
            sha256=hashed.hexdigest(),
            bytes=size,
            messages=rows["message"],
            events=rows["event"],
            remark=remark_of(written),
        )
        if not ended:
            raise _Stopped
        parts.clear(self.job, keep=stored)

    def _lines(self, kind: RowKind) -> Iterator[bytes]:
        return self._beating(parts.part_lines(self.parts, kind))

    def _beating(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        for line in lines:
            self.beat()
            yield line

    def beat(self) -> None:
        """Say that this worker lives, at most every two seconds. Raise _Stopped."""
        if time.monotonic() - self._last_beat > _BEAT:
            self._note()

    def _store(self, extent: bundle.Extent) -> None:
        work = {"extent": {**asdict(extent), "export": str(extent.export)}, "parts": self.parts, "whole": self.whole}
        self._note(work=json.dumps(work), done=sum(part["rows"] for part in self.parts))

    def _note(self, **values: object) -> None:
        if not self._update(lease_until=timezone.now() + _LEASE, **values):
            raise _Stopped
        self._last_beat = time.monotonic()

    def _update(self, **values: object) -> int:
        rows = ExportJob.objects.filter(pk=self.job.pk, state=_State.RUNNING, attempts=self.job.attempts)
        return rows.update(**values)

    @database.atomic()
    def _end(self, kind: str, **values: object) -> bool:
        if not self._update(finished_at=timezone.now(), lease_until=None, **values):
            return False
        self.job.refresh_from_db()
        record_job(self.job, kind, None)
        telling.ended_tell(self.job)
        return True


class _Beating:
    """A file whose reader, such as a slow upload, says that the worker lives."""

    def __init__(self, file: IO[bytes], worker: _Worker) -> None:
        self._file = file
        self._worker = worker

    def read(self, size: int = -1) -> bytes:
        self._worker.beat()
        return self._file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
