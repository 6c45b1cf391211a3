"""Masking of carriers' data: addresses in any notation are masked, ids are left unchanged."""

from __future__ import annotations

import base64
import json

import pytest

from crm_contact_guard.exports.masking import without_addresses
from crm_contact_guard.exports.streams import csv_chunks, jsonl_chunks
from tests.channels.line_server import USER
from tests.channels.line_setup import payload as line_payload
from tests.channels.meta_server import payload as meta_payload
from tests.exports.test_streams import EVERYTHING, add, rows_of, table_of, talk  # noqa: F401

NUMBER = "+819012345678"


def seen(text: str, *own: str, channel: str = "chat") -> str:
    found = without_addresses({"event": text}, channel, own)["event"]
    assert isinstance(found, str)
    return found


@pytest.mark.parametrize(
    "left",
    [
        "461230966842064897",
        "SM0123456789abcdef0123456789012345",
        "2026-11-24T05:00:00.123Z",
        '"timestamp":1795500000000,',
        "01H810YECXQQZ37VAXPF6H9E6T",
        "0a129aee-e1cd-480d-b08d-4f48548ff48d",
    ],
)
def test_ids_and_times_are_left_unchanged(left: str) -> None:
    assert seen(left) == left


@pytest.mark.parametrize(
    "hidden",
    ["090-1234-5678", "+81 90 1234 5678", "whatsapp:+819012345678", '"wa_id":"819012345678"', "電話09012345678へ"],
)
def test_numbers_are_masked_in_any_notation(hidden: str) -> None:
    assert "5678" in seen(hidden)
    assert "1234" not in seen(hidden)


def test_a_line_user_id_is_masked_as_an_address() -> None:
    event = line_payload("line", "text").decode()
    assert USER in event

    shown = seen(event, USER)

    assert USER not in shown
    assert json.loads(shown)["events"][0]["message"]["id"] == json.loads(event)["events"][0]["message"]["id"]


def test_a_number_in_base64_is_masked() -> None:
    wamid = "wamid." + base64.b64encode(b"\x1c\x18\x0c" + NUMBER[1:].encode() + b"\x15\x02\x00").decode()
    other = "wamid." + base64.b64encode(b"\x1c\x18\x0c" + b"818011112222" + b"\x15\x02\x00").decode()

    assert seen(f"{wamid} {other}", NUMBER) == f"wamid.•••• {other}"


def test_metas_data_on_a_customer_are_masked_everywhere() -> None:
    shown = seen(meta_payload("text").decode(), NUMBER)

    assert "819012345678" not in shown
    assert json.loads(shown)["entry"]


@pytest.mark.django_db
def test_exports_mask_the_messages_own_address_in_its_details(talk: object) -> None:  # noqa: F811
    add(talk, from_address=USER, details={"event": f"source {USER}"})

    [row] = rows_of(jsonl_chunks(EVERYTHING))
    [line] = table_of(csv_chunks(EVERYTHING))

    assert USER not in str(row)
    assert USER not in str(line)
    assert row["details"]["event"].startswith("source ")
    assert json.loads(line["details"]) == row["details"]
