"""Sending through e-mail services: Anymail's real back ends with servers that behave like the services."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from crm_contact_guard.channels.base import OutboundFile
from crm_contact_guard.channels.email.esp import EspChannel
from crm_contact_guard.delivery import attempts, outbox
from crm_contact_guard.exceptions import ChannelError
from tests.channels.carrier_server import HANG_UP, Answer
from tests.channels.cases import SendCases
from tests.channels.esp_server import KEY, Brevo, EspServer, Mailgun, Postmark, SendGrid, golden

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid"),
]


class EspSendCases(SendCases):
    backend = "crm_contact_guard.channels.email.esp.EspChannel"
    customer_address = "hanako@mail.example"
    server: ClassVar[type[EspServer]]
    esp: ClassVar[str]
    path: ClassVar[str] = ""
    key_name: ClassVar[str] = "api_key"

    @pytest.fixture
    def carrier(self) -> Iterator[EspServer]:
        with self.server().running() as server:
            self.carrier_server = server
            yield server

    def options(self) -> dict[str, Any]:
        return {
            "FROM": "Hotel Kaede <guests@kaede.example>",
            "REPLY_TO": "reply@kaede.example",
            "ESP": self.esp,
            "SEND": {self.key_name: [KEY, "old-key"], "api_url": self.carrier_server.url + self.path, "timeout": 5},
            "WEBHOOK_SECRET": "hook:s3cret",
        }

    def fail_temporarily(self) -> None:
        self.carrier_server.failures.append(Answer(503, b"Service Unavailable", {"Content-Type": "text/plain"}))

    def fail_permanently(self) -> None:
        self.carrier_server.failures.append(self.carrier_server.refusal())

    def be_busy(self) -> None:
        self.carrier_server.failures.append(
            Answer(429, b"{}", {"Content-Type": "application/json", "Retry-After": "7"})
        )

    def arrived(self) -> list[str]:
        return self.carrier_server.texts

    def refused(self) -> ChannelError:
        claim = outbox.claim(self.written().pk, idempotent=False)
        assert claim is not None
        with pytest.raises(ChannelError) as caught:
            self.channel.send(attempts.outbound(claim))
        return caught.value

    @pytest.mark.parametrize("status", [401, 402, 403, 404, 408, 500])
    def test_account_errors_and_temporary_errors_are_retried(self, status: int) -> None:
        self.carrier_server.failures.append(Answer(status))

        error = self.refused()

        assert (error.permanent, error.uncertain) == (False, False)

    def test_a_lost_response_is_uncertain(self) -> None:
        self.carrier_server.failures.append(HANG_UP)
        self.carrier_server.accepts_before_failing = True

        error = self.refused()

        assert (error.permanent, error.uncertain) == (False, True)
        assert len(self.arrived()) == 1

    def test_an_unreachable_service_is_not_uncertain(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            options = self.options()
            options["SEND"]["api_url"] = f"http://127.0.0.1:{taken.getsockname()[1]}/"
            message = self.written()
            claim = outbox.claim(message.pk, idempotent=False)
            assert claim is not None
            with pytest.raises(ChannelError) as caught:
                EspChannel(self.alias, options).send(attempts.outbound(claim))

        assert (caught.value.permanent, caught.value.uncertain) == (False, False)

    def test_errors_do_not_contain_the_key(self) -> None:
        self.carrier_server.failures.append(Answer(401))

        assert KEY not in str(self.refused())

    def test_the_checks_report_only_the_upload_limit(self, settings: Any) -> None:
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
        assert [problem.id for problem in self.channel.check()] == ["crm_contact_guard.W101"]

        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = None
        assert not list(self.channel.check())

    def _sent_with_a_file(self) -> Any:
        from dataclasses import replace
        from io import BytesIO

        claim = outbox.claim(self.written().pk, idempotent=False)
        assert claim is not None
        file = OutboundFile(
            name="../bill\r\n.pdf",
            content_type="application/pdf",
            size=8,
            sha256="",
            open=lambda: BytesIO(b"%PDF-1.7"),
        )
        self.channel.send(replace(attempts.outbound(claim), files=(file,)))
        (mail,) = self.carrier_server.mails
        return mail, claim.message


class TestMailgun(EspSendCases):
    server = Mailgun
    esp = "mailgun"
    path = "/v3"

    def test_the_mail_contains_our_ids_and_the_services_id_is_stored(self) -> None:
        message = self.written()
        row, _ = self.deliver(message)

        assert row.carrier_id == golden("mailgun", "sent")["id"]
        (mail,) = self.carrier_server.mails
        assert mail["from"] == ['"Aoi (Hotel Kaede)" <guests@kaede.example>']
        assert mail["h:Reply-To"] == [f"reply+{message.conversation.reply_token}@kaede.example"]
        assert mail["h:Message-Id"] == [f"<{message.pk}@kaede.example>"]
        assert mail["v:contact_guard_message"] == [str(message.pk)]

    def test_files_are_attached(self) -> None:
        mail, _ = self._sent_with_a_file()

        assert mail["attachment"] == [("bill.pdf", b"%PDF-1.7")]


class TestPostmark(EspSendCases):
    server = Postmark
    esp = "postmark"
    path = "/"
    key_name = "server_token"

    def test_the_service_keeps_our_message_id_and_files_are_attached(self) -> None:
        mail, message = self._sent_with_a_file()

        headers = {header["Name"].lower(): header["Value"] for header in mail["Headers"]}
        assert headers["x-pm-keepid"] == "true"
        assert headers["message-id"] == f"<{message.pk}@kaede.example>"
        assert mail["Metadata"] == {"contact_guard_message": str(message.pk)}
        (file,) = mail["Attachments"]
        assert (file["Name"], file["ContentType"], file["Content"]) == ("bill.pdf", "application/pdf", "JVBERi0xLjc=")


class TestSendGrid(EspSendCases):
    server = SendGrid
    esp = "sendgrid"
    path = "/v3/"

    def test_our_id_is_sent_as_a_custom_argument(self) -> None:
        mail, message = self._sent_with_a_file()

        arguments = {**mail.get("custom_args", {}), **mail["personalizations"][0].get("custom_args", {})}
        assert arguments["contact_guard_message"] == str(message.pk)
        assert mail["attachments"][0]["filename"] == "bill.pdf"


class TestBrevo(EspSendCases):
    server = Brevo
    esp = "brevo"
    path = "/v3/"

    def test_our_id_is_sent_in_a_header(self) -> None:
        mail, message = self._sent_with_a_file()

        assert str(message.pk) in mail["headers"]["X-Mailin-custom"]
        assert mail["attachment"][0]["name"] == "bill.pdf"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"ESP": "nosuch"}, "E103"),
        ({"ESP": "postmark"}, "E103"),
        ({"ESP": "postmark", "SEND": {"server_token": KEY}}, "E104"),
        ({"ESP": "postmark", "MAILER": "default"}, "E103"),
        ({"ESP": "mailgun", "SEND": {"api_key": KEY}, "FROM": "nobody"}, "E101"),
    ],
)
def test_a_wrong_configuration_is_reported(options: dict[str, Any], problem: str, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = None
    given = {"FROM": "guests@kaede.example", **options}

    found = [error.id for error in EspChannel("email", given).check()]

    assert f"crm_contact_guard.{problem}" in found
    assert len(set(found)) <= 2
