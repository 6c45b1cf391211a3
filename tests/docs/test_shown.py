"""What the pages show as output is what comes out."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from crm_contact_guard.record import triggers
from crm_contact_guard.sealing.sealer import seal
from crm_contact_guard.supervision.alerts import NewFinding, Verdict, alert_raise
from crm_contact_guard.supervision.models import Alert
from tests import factories
from tests.docs.pages import of
from tests.record import rows

ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")


def bare(text: str) -> str:
    return TIME.sub("TIME", ID.sub("ID", text)).strip()


# MariaDB commits at each change of a trigger.
@pytest.mark.django_db(transaction=True)
def test_an_altered_text_is_named_as_the_ledger_page_shows() -> None:
    block, _other = (block for block in of("text") if block.page == "docs/record.md")
    talk = factories.conversation(factories.employee("aoi"))
    factories.recorded(talk, "as written")
    seal()
    triggers.remove(connection)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE crm_contact_guard_message SET text = 'as altered'")
    triggers.install(connection)
    out = StringIO()

    with pytest.raises(CommandError):
        call_command("contact_guard_verify", no_progress=True, stdout=out, stderr=StringIO())

    assert bare(block.text) in [bare(line) for line in out.getvalue().splitlines()]


@pytest.mark.django_db
def test_an_altered_alert_is_named_as_the_page_shows() -> None:
    _other, block = (block for block in of("text") if block.page == "docs/record.md")
    talk = factories.conversation(factories.employee("aoi"))
    at = rows.message(talk)
    finding = NewFinding(message=at, kind="contact_identifier", start=0, end=3, score=0.9, detector="line", version="1")
    verdict = Verdict(topic="off_channel", by="employee", stance="offer", at=at, findings=[finding])
    alert_raise(conversation=talk, verdict=verdict, notify=False)
    seal()
    Alert.objects.update(severity=1)
    out = StringIO()

    with pytest.raises(CommandError):
        call_command("contact_guard_verify", no_progress=True, stdout=out, stderr=StringIO())

    assert bare(block.text) in [bare(line) for line in out.getvalue().splitlines()]
