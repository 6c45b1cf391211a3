"""What the pages show as output is what comes out."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from crm_contact_guard.record import triggers
from crm_contact_guard.sealing.sealer import seal
from tests import factories
from tests.docs.pages import of

ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")


def bare(text: str) -> str:
    return TIME.sub("TIME", ID.sub("ID", text)).strip()


# MariaDB commits at each change of a trigger.
@pytest.mark.django_db(transaction=True)
def test_an_altered_text_is_named_as_the_ledger_page_shows() -> None:
    [block] = [block for block in of("text") if block.page == "docs/record.md"]
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
