"""Employees' iCalendar rosters: from file or URL by the sync to what counts as working time, and into the record."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.core.checks import run_checks
from django.test import override_settings

from crm_contact_guard import roster_sync, tasks
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.directory_sync import sync_all
from crm_contact_guard.installation.working_time import hours_items
from crm_contact_guard.policy import hours, icalendar_options
from crm_contact_guard.policy.calendars.models import WorkCalendar
from crm_contact_guard.record.models import Event
from crm_contact_guard.verification.whole_record import verify
from tests import factories

pytestmark = pytest.mark.django_db

NOW = datetime.fromisoformat("2026-07-01T12:00:00+09:00")
SUNDAY = datetime.fromisoformat("2026-07-05T12:00:00+09:00")
MONDAY = datetime.fromisoformat("2026-07-06T12:00:00+09:00")
TEXT = """BEGIN:VCALENDAR
BEGIN:VEVENT
UID:sunday
SUMMARY:Shift
DTSTART:20260705T090000
DTEND:20260705T180000
END:VEVENT
BEGIN:VEVENT
UID:tuesday
SUMMARY:Shift
DTSTART:20260707T090000
DTEND:20260707T180000
END:VEVENT
END:VCALENDAR
"""


@contextmanager
def guard(**values: Any) -> Iterator[None]:
    with override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, **values}):
        yield


@pytest.fixture
def clerk() -> Employee:
    return factories.employee("aoi", hours={"mon-fri": "09:00-18:00"})


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with guard(ICALENDAR={"SOURCE": "{key}.ics", "FOLDER": str(tmp_path)}):
        yield tmp_path


def read(clerk: Employee) -> WorkCalendar | None:
    roster_sync.roster_read(clerk.pk, now=NOW)
    return WorkCalendar.objects.filter(owner=str(clerk.pk)).first()


def works(clerk: Employee) -> tuple[bool, bool]:
    clerk.refresh_from_db()
    return hours.is_working_time(clerk, SUNDAY), hours.is_working_time(clerk, MONDAY)


def test_a_roster_replaces_the_weekly_hours_of_its_days(clerk: Employee, folder: Path) -> None:
    (folder / f"{clerk.key}.ics").write_text(TEXT)
    assert works(clerk) == (False, True)

    read(clerk)
    read(clerk)  # nothing new, nothing recorded

    assert works(clerk) == (True, False)
    assert Event.objects.filter(kind__startswith="calendar.").count() == 1
    assert verify().holds


def test_a_bad_file_leaves_the_earlier_roster_and_is_named(clerk: Employee, folder: Path) -> None:
    path = folder / f"{clerk.key}.ics"
    path.write_text(TEXT)
    read(clerk)
    path.write_text(TEXT.replace("20260707T090000", "20260707T090000\nRRULE:FREQ=SECONDLY"))

    row = read(clerk)

    assert works(clerk) == (True, False)
    assert row is not None
    assert "line 12: FREQ=SECONDLY" in row.problem
    assert [clerk.key in item.says and "line 12" in item.says for item in hours_items()] == [True]
    path.write_text(TEXT)
    assert read(clerk).problem == ""  # type: ignore[union-attr] - it was there before
    assert verify().holds


def test_the_sync_reads_all_rosters_and_drops_those_without_a_source(
    clerk: Employee, folder: Path, django_capture_on_commit_callbacks: Any
) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    (folder / f"{clerk.key}.ics").write_text(TEXT.replace("20260705", f"{tomorrow:%Y%m%d}"))
    with django_capture_on_commit_callbacks(execute=True):
        sync_all()
    assert WorkCalendar.objects.filter(owner=str(clerk.pk), source="icalendar").exists()

    with guard(ICALENDAR={}):
        sync_all()

    assert WorkCalendar.objects.get(owner=str(clerk.pk)).calendar == {}
    assert verify().holds


@pytest.mark.parametrize("source", ["../secret.ics", "/etc/passwd", ".", "missing.ics", "link.ics"])
def test_files_outside_the_folder_are_not_read(clerk: Employee, tmp_path: Path, source: str) -> None:
    (tmp_path / "secret.ics").write_text(TEXT)
    (tmp_path / "in").mkdir()
    (tmp_path / "in/link.ics").symlink_to(tmp_path / "secret.ics")

    with guard(ICALENDAR={"SOURCE": source, "FOLDER": str(tmp_path / "in")}):
        row = read(clerk)

    assert row is not None
    assert (row.calendar, row.problem) == ({}, "there is no such file in the folder")


@pytest.mark.parametrize(
    ("address", "allowed", "private"),
    [
        ("8.8.8.8", True, True),
        ("127.0.0.1", False, True),
        ("10.1.2.3", False, True),
        ("fd00::1", False, True),
        ("::ffff:192.168.0.1", False, True),
        ("169.254.169.254", False, False),
        ("fe80::1", False, False),
        ("224.0.0.1", False, False),
        ("0.0.0.0", False, False),
    ],
)
def test_which_addresses_are_asked(address: str, allowed: bool, private: bool) -> None:
    for setting, expected in ((False, allowed), (True, private)):
        with guard(ICALENDAR={"ALLOW_PRIVATE": setting}):
            assert (roster_sync._refusal(ip_address(address)) == "") is expected


class _Server(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = self.path
        self.send_response(302 if "moved" in path else 200)
        if "moved" in path:
            self.send_header("Location", "/aoi.ics")
        self.end_headers()
        self.wfile.write(b"x" * 2_000_000 if "large" in path else TEXT.encode() if "token=s3cret" in path else b"")

    def log_message(self, *_args: object) -> None:
        """Keep the test's output clean."""


def _certificate(name: str) -> bytes:
    """A key and a certificate signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    built = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    built = built.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    pem = serialization.Encoding.PEM
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(pem, *plain) + built.sign(key, hashes.SHA256()).public_bytes(pem)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """An HTTPS server with a certificate of its own authority: its address and the certificate's file."""
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    path.write_bytes(_certificate("localhost"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    running = HTTPServer(("127.0.0.1", 0), _Server)
    running.socket = context.wrap_socket(running.socket, server_side=True)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield f"https://localhost:{running.server_port}", str(path)
    running.shutdown()
    running.server_close()
    thread.join()


@pytest.mark.parametrize(
    "case",
    [
        ("/aoi.ics?token=s3cret", True, ""),
        ("/aoi.ics?token=s3cret", False, "its certificate is not valid for this name, or its TLS is broken"),
        ("/moved", True, "answers with a redirect, which is not followed"),
        ("/large", True, "answers with more than 1048576 bytes"),
        ("/empty", True, "the file ends before END:VCALENDAR"),
    ],
)
def test_a_roster_from_a_url(
    clerk: Employee,
    server: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    case: tuple[str, bool, str],
) -> None:
    path, trusted, says = case
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", server[1])

    with guard(ICALENDAR={"SOURCE": server[0] + path, "ALLOW_PRIVATE": True}):
        row = read(clerk)

    assert row is not None
    assert row.problem == says
    assert bool(row.calendar) is (not says)
    told = caplog.text + "".join(f"{event.data}{event.details}" for event in Event.objects.all())
    assert "s3cret" not in told


def test_private_addresses_and_plain_http_are_not_asked(clerk: Employee, server: tuple[str, str]) -> None:
    with guard(ICALENDAR={"SOURCE": server[0]}):
        assert read(clerk).problem == "leads to a private address"  # type: ignore[union-attr] - a row with the problem
    with guard(ICALENDAR={"SOURCE": server[0].replace("https", "http"), "ALLOW_PRIVATE": True}):
        assert read(clerk).problem == "the address isn't https"  # type: ignore[union-attr] - as before
    with guard(ICALENDAR={"SOURCE": "https://localhost:99999999/"}):
        assert "address" in read(clerk).problem  # type: ignore[union-attr] - as before


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ([], ""),
        ("roster.ics", "must be a dict"),
        ({"URL": "https://roster.example/"}, "'URL'] is unknown"),
        ({"SOURCE": "http://roster.example/"}, "must begin with https"),
        ({"SOURCE": "{key}.ics"}, '"FOLDER" must name'),
        ({"SHIFT": "shift"}, "must be a list of words"),
        ({"LEAVE": [" "]}, "empty word"),
    ],
)
def test_a_bad_setting_is_named(value: Any, says: str) -> None:
    with guard(ICALENDAR=value or {}):
        found = [message.msg for message in run_checks() if message.id == "crm_contact_guard.E051"]
        if not says:
            icalendar_options.check()

    assert [says in text for text in found] == ([True] if says else [])


def test_the_task_may_run_twice_and_for_somebody_without_a_roster(clerk: Employee) -> None:
    tasks.read_roster(str(clerk.pk))
    tasks.read_roster(str(clerk.pk))

    assert not WorkCalendar.objects.exists()
