"""Notices to targets, over real sockets: what leaves the company, who is called, and what becomes of it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from ipaddress import ip_address
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import call_command

from crm_contact_guard.notices import outbox, posting, replaying, targets
from crm_contact_guard.notices.models import Notice
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.alert_notices import alert_tell
from crm_contact_guard.supervision.cases.deciding import case_drop
from crm_contact_guard.supervision.cases.opening import case_open
from crm_contact_guard.supervision.models import Alert
from tests import factories
from tests.clock import Clock
from tests.notices.conftest import AFTERNOON, notify, verified
from tests.supervision.test_alert_windows import raised, says, verdict

pytestmark = pytest.mark.django_db
SECRET = "whsec_" + base64.b64encode(b"k" * 24).decode()
OTHER = "whsec_" + base64.b64encode(b"n" * 32).decode()


class Receiver:
    """A server on a free port that keeps what it gets, and answers with ``status``."""

    def __init__(self) -> None:
        self.status, self.got = 200, list[tuple[str, dict[str, str], bytes]]()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((self.path, dict(self.headers), body))
                self.send_response(receiver.status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?sig=s3cret"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    thread = threading.Thread(target=found.server.serve_forever)
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


@pytest.fixture
def alert(clock: Clock) -> Alert:
    clock.now = AFTERNOON
    talk = factories.conversation(factories.employee("aoi", branch=factories.team(head="sora")))
    with notify():
        return raised(talk, verdict(says(talk), topic="harassment"), notify=False)


def told(receiver: Receiver, alert: Alert, **given: Any) -> Notice:
    """Tell a target about the alert and try to send the notice once."""
    target = {"URL": receiver.url, "ALLOW_PRIVATE": True, "LANGUAGE": "en", **given}
    with notify(email=False, targets={"desk": target}):
        assert alert.addressee is not None
        alert_tell(alert, alert.addressee)
        notice = Notice.objects.get(way="desk")
        outbox.notice_send(notice.pk)
    notice.refresh_from_db()
    return notice


def test_slack_gets_a_link_and_no_names(receiver: Receiver, alert: Alert) -> None:
    assert told(receiver, alert, WAY="slack").state == "sent"
    [(path, _headers, body)] = receiver.got
    assert path == "/hook?sig=s3cret"
    assert json.loads(body)["text"] == f"A serious alert\nhttp://testserver/guard/alerts/{alert.pk}/"
    assert not [fault for fault in verified() if "notice" in fault]


def test_names_leave_the_company_only_if_allowed(receiver: Receiver, alert: Alert) -> None:
    alert.conversation.customer.name = "<!channel> & Co"
    alert.conversation.customer.save()
    told(receiver, alert, WAY="slack", DETAIL=True)
    text = json.loads(receiver.got[0][2])["text"]
    assert "&lt;!channel&gt; &amp; Co asks Aoi for private contact" in text


def test_teams_gets_an_adaptive_card(receiver: Receiver, alert: Alert) -> None:
    receiver.status = 202
    assert told(receiver, alert, WAY="teams", DETAIL=True).state == "sent"
    [attachment] = json.loads(receiver.got[0][2])["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attachment["content"]["body"][0]["inlines"][0]["text"] == "Hanako Sato asks Aoi for private contact"
    assert attachment["content"]["actions"][0]["url"].endswith(f"/guard/alerts/{alert.pk}/")


def test_a_webhook_is_signed_with_every_secret(receiver: Receiver, alert: Alert) -> None:
    told(receiver, alert, WAY="webhook", SECRETS=[SECRET, OTHER])
    [(_path, headers, body)] = receiver.got
    signed = f"{headers['Webhook-Id']}.{headers['Webhook-Timestamp']}.".encode() + body
    expected = [
        "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        for key in (b"k" * 24, b"n" * 32)
    ]
    assert headers["Webhook-Signature"].split() == expected
    assert json.loads(body)["type"] == "notice.alert_serious"


def test_the_signature_is_that_of_the_standards_example() -> None:
    """The example of the specification's reference libraries."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = posting.signature([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert headers["Webhook-Signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (204, "sent"),
        (302, "queued"),
        (404, "failed"),
        (408, "queued"),
        (410, "failed"),
        (429, "queued"),
        (500, "queued"),
    ],
)
def test_what_becomes_of_an_answer(receiver: Receiver, alert: Alert, status: int, state: str) -> None:
    receiver.status = status
    notice = told(receiver, alert, WAY="slack")
    assert notice.state == state
    assert len(receiver.got) == 1  # no redirect is followed
    assert "s3cret" not in "".join(str(vars(event)) for event in Event.objects.all()) + notice.last_error


def test_a_target_that_is_gone_gets_nothing_more(receiver: Receiver, alert: Alert) -> None:
    kai = factories.employee("kai", job="compliance")
    receiver.status = 410
    told(receiver, alert, WAY="slack")
    assert Notice.objects.get(topic="notice_failed").employee == kai
    receiver.status = 200
    other = raised(alert.conversation, verdict(says(alert.conversation), topic="scan_failure"), notify=False)
    target = {"WAY": "slack", "URL": receiver.url, "ALLOW_PRIVATE": True}
    with notify(email=False, targets={"desk": target}):
        assert other.addressee is not None
        alert_tell(other, other.addressee)
        assert outbox.failed_renew() == 0
        assert targets.is_gone("desk")
    assert Notice.objects.filter(way="desk").count() == 1


def test_a_private_address_is_never_called_unless_allowed(receiver: Receiver, alert: Alert, clock: Clock) -> None:
    notice = told(receiver, alert, WAY="slack", ALLOW_PRIVATE=False)
    assert (notice.state, notice.last_error) == ("queued", "refused_address")
    assert receiver.got == []


def test_a_name_that_leads_inside_is_refused_when_connecting(receiver: Receiver, alert: Alert) -> None:
    receiver.url = receiver.url.replace("127.0.0.1", "localhost")
    assert told(receiver, alert, WAY="slack", ALLOW_PRIVATE=False).last_error == "refused_address"
    assert receiver.got == []


@pytest.mark.parametrize(
    ("address", "secure", "private", "allowed"),
    [
        ("8.8.8.8", True, False, True),
        ("8.8.8.8", False, False, False),
        ("127.0.0.1", True, False, False),
        ("127.0.0.1", False, True, True),
        ("10.1.2.3", True, False, False),
        ("10.1.2.3", True, True, True),
        ("169.254.169.254", True, True, False),
        ("fe80::1", True, True, False),
        ("::ffff:10.0.0.1", True, False, False),
        ("::ffff:169.254.169.254", True, True, False),
        ("::1", True, False, False),
        ("fd00::1", True, True, True),
        ("0.0.0.0", True, True, False),
        ("224.0.0.1", True, True, False),
        ("100.64.0.1", True, False, False),
    ],
)
def test_which_addresses_are_called(address: str, secure: bool, private: bool, allowed: bool) -> None:
    assert (posting.refusal(ip_address(address), secure=secure, private=private) == "") is allowed


def test_only_the_targets_of_the_team_and_topic_are_told(alert: Alert) -> None:
    urls = {"WAY": "slack", "URL": "https://hooks.example/x"}
    assert alert.team is not None
    given = {
        "all": urls,
        "team": {**urls, "TEAMS": [alert.team.key]},
        "other": {**urls, "TEAMS": ["elsewhere"]},
        "mild": {**urls, "TOPICS": ["alert"]},
    }
    with notify(email=False, targets=given):
        assert alert.addressee is not None
        for _again in range(2):
            alert_tell(alert, alert.addressee)
    assert sorted(Notice.objects.exclude(way="in_app").values_list("way", flat=True)) == ["all", "team"]


@pytest.mark.parametrize(
    "given",
    [
        {"colour": "red"},
        {"email": "yes"},
        {"cadence": {"alert": "never"}},
        {"targets": []},
        {"targets": {"email": {"WAY": "slack", "URL": "https://x.example"}}},
        {"targets": {"x": {"WAY": "pigeon", "URL": "https://x.example/s3cret"}}},
        {"targets": {"x": {"WAY": "slack", "URL": "file:///etc/passwd"}}},
        {"targets": {"x": {"WAY": "slack", "URL": "https://user:s3cret@x.example"}}},
        {"targets": {"x": {"WAY": "webhook", "URL": "https://x.example"}}},
        {"targets": {"x": {"WAY": "webhook", "URL": "https://x.example", "SECRETS": ["s3cret"]}}},
        {"targets": {"x": "s3cret"}},
    ],
)
def test_a_setting_that_cannot_be_used_is_reported_without_secrets(given: dict[str, Any]) -> None:
    with notify(**given):
        found = [str(error) for error in run_checks() if error.id == "crm_contact_guard.E070"]
        assert targets.of_team(None, "alert_serious") == []
    assert found
    assert "s3cret" not in " ".join(found)
    with notify(targets={"x": {"WAY": "slack", "URL": "https://x.example/T/B"}}):
        assert not [error for error in run_checks() if error.id == "crm_contact_guard.E070"]


def test_a_target_that_was_removed_fails_and_is_not_renewed(receiver: Receiver, alert: Alert, clock: Clock) -> None:
    receiver.status = 500
    notice = told(receiver, alert, WAY="slack")
    clock.forward(timedelta(minutes=1))
    with notify(email=False):
        assert not outbox.notice_send(notice.pk)
        assert outbox.failed_renew() == 0
    notice.refresh_from_db()
    assert (notice.state, notice.last_error) == ("failed", "the settings have no such target")


def test_other_systems_learn_that_an_alert_was_opened_and_a_case_closed(receiver: Receiver, alert: Alert) -> None:
    given = {"WAY": "webhook", "SECRETS": [SECRET], "URL": receiver.url, "ALLOW_PRIVATE": True, "LANGUAGE": "en"}
    chief = factories.employee("chief", job="compliance")
    case = case_open(actor=chief, sort="conduct", concerned=alert.concerned)
    with notify(email=False, targets={"erp": {**given, "TOPICS": ["alert_opened", "case_closed"]}}):
        other = raised(alert.conversation, verdict(says(alert.conversation), topic="scan_failure"))
        case_drop(case_id=case.pk, actor=chief, reason="a misunderstanding")
        for notice in Notice.objects.filter(way="erp"):
            assert outbox.notice_send(notice.pk)
    bodies = [json.loads(body) for _path, _headers, body in receiver.got]

    assert [body["type"] for body in bodies] == ["alert.opened", "case.closed"]
    assert [body["data"]["id"] for body in bodies] == [str(other.pk), str(case.pk)]
    assert bodies[0]["timestamp"] == other.opened_at.isoformat()
    assert bodies[0]["data"]["text"] == "An alert was opened"
    assert "Hanako" not in str(bodies)


def test_a_dead_target_is_switched_off_with_a_notice_and_replayed_when_it_works(
    receiver: Receiver, alert: Alert, clock: Clock
) -> None:
    kai = factories.employee("kai", job="compliance")
    receiver.status = 404
    notice = told(receiver, alert, WAY="webhook", SECRETS=[SECRET])
    target = {"WAY": "webhook", "SECRETS": [SECRET], "URL": receiver.url, "ALLOW_PRIVATE": True}
    with notify(email=False, targets={"desk": target}):
        assert not targets.is_off("desk")
        clock.forward(timedelta(days=5, hours=1))
        assert targets.is_off("desk")
        assert targets.of_team(alert.team, "alert_serious") == []
        assert outbox.failed_renew() == 0
        out = StringIO()
        call_command("contact_guard_targets", stdout=out)
        call_command("contact_guard_targets", log="desk", stdout=out)
        assert "desk: off, 0 sent, 1 failed" in out.getvalue()
        assert "alert_serious" in out.getvalue()
        call_command("contact_guard_targets", replay="desk", stdout=out)
        assert not outbox.notice_send(notice.pk)
        assert Notice.objects.get(topic="target_off").employee == kai
        receiver.status = 200
        assert replaying.replay("desk") == 1
        assert outbox.notice_send(notice.pk)
        assert not targets.is_off("desk")
        assert replaying.replay("desk") == 0
        assert replaying.replay("desk", ids=[notice.pk]) == 1
    assert len({headers["Webhook-Id"] for _path, headers, _body in receiver.got}) == 1
    assert not [fault for fault in verified() if "notice" in fault]
