"""Hand out finished bundles: signed links that expire and are bound to a person, and downloads that can be resumed.

A download follows RFC 9110 §14: one range of bytes, checked against the bundle's SHA-256 as its entity tag.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, Any, Final
from uuid import UUID

from django.core import signing
from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import NotPermitted, NotPossible
from crm_contact_guard.exports.jobs import parts, rights
from crm_contact_guard.exports.jobs.models import ExportJob
from crm_contact_guard.exports.jobs.requesting import job_or_refuse
from crm_contact_guard.hosting import database
from crm_contact_guard.hosting.downloads import Download
from crm_contact_guard.record.recording import record_event

#: How long a link can be used. A download that has begun goes on.
LINK_LASTS: Final = timedelta(hours=1)
_SALT: Final = "crm_contact_guard.exports.link"
_RANGE: Final = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))")


def link_token(job: ExportJob, person: Employee) -> str:
    """Return a token that only this person can use, for ``LINK_LASTS``."""
    return signing.dumps([str(job.pk), str(person.pk)], salt=_SALT, compress=True)


def by_token(token: str, person: Employee) -> UUID | None:
    """Return the job of a token; None if it has expired, was altered, or is somebody else's."""
    try:
        job, owner = signing.loads(token, salt=_SALT, max_age=LINK_LASTS)
    except (signing.BadSignature, ValueError):
        return None
    return UUID(job) if owner == str(person.pk) else None


@dataclass(frozen=True)
class _Span:
    """Bytes from ``start`` up to but not including ``end``."""

    start: int
    end: int


def export_download(*, job_id: UUID, actor: Employee, headers: Mapping[str, str] | None = None) -> Download:
    """Record the download and return the bundle, or the range of it that the request's ``headers`` ask for.

    Raise NotPermitted; or NotPossible if the bundle isn't there.
    """
    job = job_or_refuse(job_id, actor)
    if not rights.may_download(actor, job):
        raise NotPermitted(_("You may not download this export."))
    if job.state != ExportJob.State.READY or job.bytes is None:
        raise NotPossible(_("This export is not ready, or has been deleted."))
    etag, given = f'"{job.sha256}"', headers or {}
    span = _span(given.get("Range", ""), job.bytes) if given.get("If-Range", etag) == etag else None
    if span is not None and span.start >= span.end:
        return _answer(Download(iter(()), status=416), etag, {"Content-Range": f"bytes */{job.bytes}"})
    try:
        file: IO[Any] = parts.backend().open(job.stored_as)
    except OSError:
        raise NotPossible(_("This export is not ready, or has been deleted.")) from None
    with database.atomic():
        record_event(
            kind="export.downloaded",
            subject_type="export_job",
            subject_id=job.pk,
            by=actor,
            tenant=job.tenant,
            data={"from": span.start, "to": span.end} if span else None,
        )
    name = f"export-{job.finished_at:%Y%m%dT%H%M%SZ}-{str(job.pk)[:8]}.zip"
    whole = span or _Span(0, job.bytes)
    response = Download(_Slice(file, whole), as_attachment=True, filename=name, content_type="application/zip")
    response["Content-Length"] = str(whole.end - whole.start)
    if span is not None:
        response.status_code = 206
        response["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{job.bytes}"
    return _answer(response, etag, {})


def _answer(response: Download, etag: str, headers: Mapping[str, str]) -> Download:
    for name, value in {"Accept-Ranges": "bytes", "ETag": etag, "X-Content-Type-Options": "nosniff", **headers}.items():
        response[name] = value
    return response


def _span(header: str, size: int) -> _Span | None:
    """Return the one range that a header asks for; None for the whole file, as for headers that aren't understood."""
    match = _RANGE.fullmatch(header.strip())
    if match is None:
        return None
    if match[3] is not None:
        return _Span(max(0, size - int(match[3])), size if int(match[3]) else 0)
    end = min(size, int(match[2]) + 1) if match[2] else size
    start = int(match[1])
    return None if match[2] and int(match[2]) < start else _Span(start, end)


class _Slice:
    """The bytes of a span of a file."""

    def __init__(self, file: IO[bytes], span: _Span) -> None:
        self._file = file
        self._left = span.end - span.start
        file.seek(span.start)

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        return data

    def close(self) -> None:
        self._file.close()
