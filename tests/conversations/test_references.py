"""The conversation of a mail that names earlier ones: found by index on every database, however long the record is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.models import Q

from crm_contact_guard import gateway
from crm_contact_guard.conversations import lifecycle
from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.record.models import Conversation, Message
from tests import factories
from tests.record import rows

pytestmark = pytest.mark.django_db


def test_the_newest_of_the_named_messages_decides() -> None:
    first, second = factories.conversation(None), factories.conversation(None, name="Taro Ito")
    rows.message(first, carrier_id="<one@mail.example>")
    rows.message(second, carrier_id="<two@mail.example>")

    found = [
        lifecycle.by_references(names)
        for names in (["<one@mail.example>"], ["<two@mail.example>", "<one@mail.example>"], ["<no@mail.example>"], [""])
    ]

    assert found == [first, second, None, None]


def test_a_message_of_ours_is_found_by_the_carrier_s_id_and_by_its_own() -> None:
    talk = factories.conversation(factories.employee("aoi"), channel="chat")
    sent = gateway.send(actor=talk.employee, conversation=talk, text="Hello", occurred_at=factories.office_time())  # type: ignore[arg-type]
    assert sent.message is not None
    Delivery.objects.filter(message=sent.message).update(carrier_id="carrier-7")

    assert lifecycle.by_references(["carrier-7"]) == talk
    assert lifecycle.by_references([f"<{sent.message.pk}@kaede.example>"]) == talk


def test_a_thousand_names_are_cut_to_the_newest() -> None:
    talk = factories.conversation(None)
    rows.message(talk, carrier_id="<last@mail.example>")

    assert lifecycle.by_references([*(f"<{number}@x>" for number in range(1000)), "<last@mail.example>"]) == talk
    assert lifecycle.by_references(["<last@mail.example>", *(f"<{number}@x>" for number in range(1000))]) is None


def test_no_table_is_read_as_a_whole() -> None:
    """With the OR over two tables that stood here, a mail took 660 ms at a million messages."""
    own = f"<{Conversation().pk}@kaede.example>"
    found = lifecycle.referenced([own, "<a@mail.example>", "<b@mail.example>"])

    assert list(_whole_reads(found)) == [], found.explain()


def _whole_reads(rows: Any) -> Iterator[str]:
    """The parts of the plan that read a table or an index without a condition on it."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # A small table is read as a whole because that is cheaper; the question is whether it must be.
            for way in ("seqscan", "bitmapscan", "hashjoin", "mergejoin"):
                cursor.execute(f"SET LOCAL enable_{way} = off")
        yield from _of_postgresql(json.loads(rows.explain(format="json", timing=False))[0]["Plan"])
    elif connection.vendor == "sqlite":
        yield from (line for line in rows.explain().splitlines() if " SCAN " in f" {line} " and "subquery" not in line)
    else:
        # MariaDB's type "ALL" reads a table, here only the union's own rows; "index" reads a whole index.
        lines = [line for line in rows.explain().splitlines() if "UNION RESULT" not in line]
        yield from (line for line in lines if {"ALL", "index"} & set(line.split()[2:6]))


def _of_postgresql(plan: dict[str, Any]) -> Iterator[str]:
    if plan["Node Type"].endswith("Scan") and "Index Cond" not in plan:
        yield f"{plan['Node Type']} {plan.get('Relation Name', '')}"
    for part in plan.get("Plans", ()):
        yield from _of_postgresql(part)


def test_the_plan_of_an_or_over_two_tables_would_be_noticed() -> None:
    names = ["<a@mail.example>", "<b@mail.example>"]

    assert list(_whole_reads(Message.objects.filter(Q(carrier_id__in=names) | Q(delivery__carrier_id__in=names))))
