"""Export jobs: who may ask, approve and download; what a bundle withholds; cancelling, expiry, and killed workers."""

from __future__ import annotations

import base64
import json
import os
import random
import re
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from types import FrameType
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted, NotPossible
from crm_contact_guard.exports import bundle, profiles
from crm_contact_guard.exports.bundle_rows import Filters
from crm_contact_guard.exports.formats import available
from crm_contact_guard.exports.jobs import clearing, handing_out, parts, working
from crm_contact_guard.exports.jobs.models import ExportJob
from crm_contact_guard.exports.jobs.requesting import export_approve, export_cancel, export_refuse, export_request
from crm_contact_guard.notices.models import Notice
from crm_contact_guard.privacy import erasing
from crm_contact_guard.proof.bundle import verify_bundle
from crm_contact_guard.proof.bundle_writer import BundleWriter
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.sealing.keys import verification_keys
from tests import factories
from tests.file_samples import read_to_end
from tests.record import rows

pytestmark = pytest.mark.django_db

_EXPORTS = str(Path(working.__file__).parent.parent)


@pytest.fixture
def stored(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = str(tmp_path)
    return tmp_path


@pytest.fixture
def talk() -> Conversation:
    talk = rows.talk()
    rows.sealed_record(talk)
    return talk


def person(key: str, role: str) -> Employee:
    return factories.employee(key, job=role)


def content(job: ExportJob) -> bytes:
    with parts.backend().open(job.stored_as) as file:
        return bytes(file.read())


def everything(data: bytes) -> str:
    """All text in a zip: of nested zips too, and of base64 in emails."""
    told = ""
    with zipfile.ZipFile(BytesIO(data)) as packed:
        for name in packed.namelist():
            inner = packed.read(name)
            if name.endswith((".zip", ".xlsx")):
                told += everything(inner)
                continue
            told += inner.decode("utf-8", "replace")
            for block in re.findall(rb"(?:\r\n\r\n)((?:[A-Za-z0-9+/=]{1,76}\r\n)+)", inner):
                plain = base64.b64decode(block)
                told += everything(plain) if plain[:2] == b"PK" else plain.decode("utf-8", "replace")
    return told


def test_an_auditors_export_is_written_in_every_format_without_an_address_and_verifies(
    stored: Path, talk: Conversation
) -> None:
    auditor, clerk = person("audit", "auditor"), talk.employee
    mail = "hanako@example.com"
    message = rows.message(talk, "=1+1 あす伺います", from_name=mail, details={"x": mail})
    rows.event(message, reason="550 hanako@example.com unknown")
    given: dict[str, Any] = {"filters": Filters(customer=talk.customer_id), "purpose": "Yearly audit"}

    with pytest.raises(NotPermitted):
        export_request(actor=clerk, **given)
    with pytest.raises(NotPermitted):
        export_request(actor=auditor, profile="full", **given)
    for wrong in ({"purpose": " "}, {"profile": "x"}, {"formats": ["exe"]}):
        with pytest.raises(InvalidMessage):
            export_request(actor=auditor, **{**given, **wrong})
    job = export_request(actor=auditor, formats=list(available()), **given)
    assert working.due() == [job.pk]
    assert working.export_run(job.pk)
    assert not working.export_run(job.pk)
    job.refresh_from_db()

    data = content(job)
    report = verify_bundle(BytesIO(data), pinned=verification_keys())
    assert report.holds, report.faults
    renderings = {"bundle.xlsx", "concordance.dat", "eml.zip", "rsmf.zip"}
    renderings |= {"messages.parquet", "events.parquet"} if "parquet" in available() else set()
    renderings |= {f"transcripts/{talk.pk}-001.pdf"} if "pdf" in available() else set()
    assert set(report.unproven) == renderings
    assert (job.state, job.messages, job.bytes) == ("ready", Message.objects.count(), len(data))
    text = everything(data)
    assert "あす伺います" in text
    assert "hanako@example.com" not in text
    assert b"'=1+1" in zipfile.ZipFile(BytesIO(data)).read("messages.csv")
    kinds = Event.objects.filter(kind__startswith="export.").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["export.requested", "export.started", "export.bundle", "export.ready"]
    assert Event.objects.get(kind="export.bundle").reason == "Yearly audit"
    assert Notice.objects.filter(employee=auditor, topic="export").exists()
    assert [path.name for path in stored.rglob("*") if path.is_file()] == [Path(job.stored_as).name]

    job = export_request(actor=auditor, profile="pseudonyms", **given)
    assert working.export_run(job.pk)
    job.refresh_from_db()
    assert "Hanako Sato" not in everything(content(job))
    assert verify_bundle(BytesIO(content(job)), pinned=verification_keys()).holds


def test_a_table_that_says_something_else_than_the_rows_is_a_fault(stored: Path, talk: Conversation) -> None:
    officer = person("comp", "compliance")
    job = export_request(actor=officer, purpose="Audit", filters=Filters(), formats=["csv"], profile="full")
    working.export_run(job.pk)
    job.refresh_from_db()
    order = bundle.Order(filters=Filters())
    extent = extent_of(job)
    selection = bundle.select(order, extent)
    file = BytesIO()

    def add(writer: BundleWriter) -> dict[str, int]:
        writer.add("messages.csv", [b"nothing"])
        return {}

    bundle.bundle_assemble(file, order, extent, selection, selection.lines, add=add)

    faults = [str(fault) for fault in verify_bundle(file, pinned=verification_keys()).faults]
    assert faults == ["messages.csv: says something else than messages.jsonl"]


def extent_of(job: ExportJob) -> bundle.Extent:
    extent = json.loads(job.work)["extent"]
    return bundle.Extent(**{**extent, "export": UUID(extent["export"])})


def test_a_second_person_approves_and_downloads_are_bound_recorded_and_resumable(
    stored: Path, talk: Conversation, settings: Any
) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "EXPORT_APPROVAL": True}
    officer, other, auditor = person("comp", "compliance"), person("comp2", "compliance"), person("audit", "auditor")
    jobs = [export_request(actor=officer, purpose="Audit", filters=Filters(), profile="full") for _ in range(2)]
    job = jobs[0]

    assert working.due() == []
    assert Notice.objects.filter(topic="export_approval", employee=other, way="in_app").count() == 2
    for wrong in (officer, auditor):
        with pytest.raises(NotPermitted):
            export_approve(job_id=job.pk, actor=wrong)
    export_refuse(job_id=jobs[1].pk, actor=other, reason="Too wide")
    export_approve(job_id=job.pk, actor=other)
    with pytest.raises(NotPossible):
        export_approve(job_id=job.pk, actor=other)
    with pytest.raises(NotPossible):
        handing_out.export_download(job_id=job.pk, actor=officer)
    working.export_run(job.pk)
    job.refresh_from_db()
    data, etag = content(job), f'"{job.sha256}"'

    def got(**headers: str) -> tuple[int, bytes, str]:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        response = handing_out.export_download(job_id=job.pk, actor=officer, headers=given)
        body = read_to_end(response)
        for closer in response._resource_closers:
            closer()
        return response.status_code, body, response.get("Content-Range", "")

    whole = len(data)
    assert got() == (200, data, "")
    assert got(Range="bytes=100-", If_Range=etag) == (206, data[100:], f"bytes 100-{whole - 1}/{whole}")
    assert got(Range="bytes=0-9") == (206, data[:10], f"bytes 0-9/{whole}")
    assert got(Range="bytes=-5") == (206, data[-5:], f"bytes {whole - 5}-{whole - 1}/{whole}")
    assert got(Range="bytes=10-20", If_Range='"old"') == (200, data, "")
    assert got(Range=f"bytes={whole}-") == (416, b"", f"bytes */{whole}")
    assert got(Range="bytes=9-3")[0] == got(Range="lines=1-2")[0] == 200
    assert Event.objects.filter(kind="export.downloaded", actor=str(officer.pk)).count() == 7
    with pytest.raises(NotPermitted):
        handing_out.export_download(job_id=job.pk, actor=auditor)
    token = handing_out.link_token(job, officer)
    assert handing_out.by_token(token, officer) == job.pk
    assert handing_out.by_token(token, other) is None
    assert handing_out.by_token(token[:-1], officer) is None


def test_cancelled_expired_and_erased_bundles_leave_nothing_behind(stored: Path, talk: Conversation) -> None:
    officer, auditor = person("comp", "compliance"), person("audit", "auditor")
    ask: dict[str, Any] = {"actor": auditor, "purpose": "Audit", "filters": Filters(conversation=talk.pk)}
    cancelled, expired, erased, failed = (export_request(**ask) for _ in range(4))
    assert working._claim(cancelled.pk) is not None
    export_cancel(job_id=cancelled.pk, actor=officer)
    with pytest.raises(NotPossible):
        export_cancel(job_id=cancelled.pk, actor=officer)
    assert not working.export_run(cancelled.pk)
    for job in (expired, erased):
        assert working.export_run(job.pk)
    ExportJob.objects.filter(pk=failed.pk).update(attempts=working.MAX_ATTEMPTS)
    assert not working.export_run(failed.pk)
    assert ExportJob.objects.get(pk=failed.pk).state == "failed"

    ExportJob.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert clearing.expire_due() == 1
    ExportJob.objects.get(pk=erased.pk)
    assert [path.name for path in stored.rglob("bundle-*")] == [
        Path(ExportJob.objects.get(pk=erased.pk).stored_as).name
    ]
    running = export_request(**ask)
    job = working._claim(running.pk)
    assert job is not None
    erasing.erase_messages(Message.objects.filter(pk=rows.message(talk).pk), basis="request", reason="")
    with pytest.raises(working._Stopped):
        working._Worker(job).run()
    ExportJob.objects.filter(pk=cancelled.pk).update(lease_until=None)
    clearing.clear_ended()

    assert ExportJob.objects.get(pk=erased.pk).state == "expired"
    assert [path for path in stored.rglob("*") if path.is_file()] == []
    assert working.export_run(running.pk)


class Killed(BaseException):
    """The worker ends at this line, as by ``kill -9``: transactions are rolled back, files stay as they are."""


@contextmanager
def killed_at(line: int) -> Iterator[list[int]]:
    """Raise Killed at the ``line``-th line that runs in ``exports``. Yields the number of lines that ran."""
    ran = [0]

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.startswith(_EXPORTS):
            return None
        if event == "line":
            ran[0] += 1
            if ran[0] == line:
                sys.settrace(None)
                raise Killed
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield ran
    finally:
        sys.settrace(before)


def test_a_worker_killed_at_any_line_leaves_no_half_bundle_and_the_next_makes_the_same_bytes(
    stored: Path, talk: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kill workers at random lines, each job several times. ``KILLS`` sets the number of kills."""
    monkeypatch.setattr(working, "PART", 5)
    wanted = int(os.environ.get("KILLS", "8"))
    officer, dice, kills, number = person("comp", "compliance"), random.Random(7), 0, 0
    while kills < wanted:
        number += 1
        formats, most = [] if number % 2 else ["csv", "xlsx", "eml"], kills + 8
        job = export_request(actor=officer, purpose="Audit", filters=Filters(), formats=formats, profile="masked")
        while ExportJob.objects.get(pk=job.pk).state != "ready":
            with killed_at(dice.randint(1, 6000) if kills < most else 0):
                try:
                    working.export_run(job.pk)
                except Killed:
                    kills += 1
            named = set(ExportJob.objects.exclude(stored_as="").values_list("stored_as", flat=True))
            assert all(verify(name) for name in named)
            ExportJob.objects.filter(pk=job.pk, state="running").update(lease_until=timezone.now() - timedelta(days=1))
        job.refresh_from_db()
        clearing.clear_ended()
        order = bundle.Order(
            filters=Filters(), redacted=profiles.REDACTED["masked"], redact=profiles.of("masked"), profile="masked"
        )
        selection = bundle.select(order, extent_of(job))
        again = BytesIO()
        bundle.bundle_assemble(
            again,
            order,
            extent_of(job),
            selection,
            lambda kind, order=order, selection=selection: selection.lines(kind, order.redact),
            add=lambda writer, formats=formats, order=order, selection=selection: working.formats_add(
                writer, formats, lambda kind: selection.lines(kind, order.redact)
            ),
        )
        assert content(job) == again.getvalue()
        assert sum(path.is_file() for path in parts_of(stored, job)) == 1


def parts_of(stored: Path, job: ExportJob) -> Iterator[Path]:
    return (stored / parts.folder(job)).rglob("*")


def verify(name: str) -> bool:
    with parts.backend().open(name) as file:
        return verify_bundle(BytesIO(file.read()), pinned=verification_keys()).holds
