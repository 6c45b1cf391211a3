"""Formats with hostile values: nothing runs, nothing is lost unsaid, and other programs can read the files."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Iterator
from email import message_from_bytes, policy
from io import BytesIO, StringIO
from typing import Any
from xml.etree import ElementTree

from crm_contact_guard.exports.formats import concordance, mails, rsmf, tables, workbook
from crm_contact_guard.exports.formats.base import Attached, Cuts, Rows
from crm_contact_guard.proof.bundle_format import row_line
from crm_contact_guard.proof.canonical import EVENT_OPEN, EVENT_PERSONAL, MESSAGE_OPEN, MESSAGE_PERSONAL

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
TALK = "01a21b5f-0000-7000-8000-0000000000aa"
HOSTILE = (
    "=1+1", "＝HYPERLINK(1)", " @SUM(A1)", "+81 90", "-1", "\t=1", "a,b\"c'", "line\nbreak\r\nand\rmore",
    "NUL \x00 and \x14 þ ®", "\u202egnp.exe\u2066", "𠮷野家👩‍👧 ¶", "_x0041_", "<b>&amp;</b>]]>", "x" * 1_000_000,
    "\ud800 lone", "", "007", "1e5", "ﷺ\ufffe",
)  # fmt: skip


def key(number: int) -> str:
    return f"01a21b5f-0000-7000-8000-{number:012x}"


def line(row_kind: Any, index: int, **values: str | None) -> bytes:
    names, personal = (MESSAGE_OPEN, MESSAGE_PERSONAL) if row_kind == "message" else (EVENT_OPEN, EVENT_PERSONAL)
    time = f"2026-11-2{index % 3 + 4}T09:12:00.123456Z"
    given = {"id": key(index), "tenant": "", "conversation": TALK, "customer": TALK, "channel": "line"}
    given |= {"direction": "inbound", "kind": "message", "occurred_at": time, "recorded_at": time, "carrier_id": ""}
    given |= {"source": "live", "subject_type": "message", "actor_type": "system", "actor": "", "data": "{}", **values}
    return row_line(
        row_kind,
        index,
        open_values={name: given.get(name) for name in names},
        values={name: values.get(name) for name in personal},
        salt=b"s" * 16 * len(personal),
        digests=b"d" * 32 * (len(personal) + 1),
    )


def rows() -> Rows:
    """A message per hostile text in text, subject and a name, each with an event that has it as its reason."""
    files = json.dumps(
        [{"name": "a\r\nþ.png", "type": "image/png", "size": 3, "sha256": "0" * 64, "kind": "attachment"}]
    )
    hostile: list[dict[str, str]] = [{"text": text, "subject": text, "from_name": text[:200]} for text in HOSTILE]
    lines: dict[str, list[bytes]] = {
        "message": [line("message", at, files=files, **values) for at, values in enumerate(hostile)],
        "event": [
            line("event", 1000 + at, kind="delivery.read", message=key(at), subject_id=key(at), reason=text)
            for at, text in enumerate(HOSTILE)
        ],
    }

    def attached(message: str) -> Iterator[Attached]:
        yield Attached("a\r\nþ.png", b"png")

    return Rows(lambda kind: iter(lines[kind]), attached)


def made(format_: Any, source: Rows, cuts: Cuts) -> dict[str, bytes]:
    return {file.name: b"".join(file.chunks) for file in format_.files(source, cuts)}


def test_csv_holds_every_text_and_runs_none() -> None:
    with rows() as source:
        read = made(tables, source, Cuts())["messages.csv"].decode("utf-8-sig")
    csv.field_size_limit(2_000_000)
    cells = list(csv.DictReader(StringIO(read, newline="")))

    assert [cell["text"].removeprefix("'") for cell in cells] == [text.replace("\ud800", "?") for text in HOSTILE]
    assert not [cell for cell in cells if cell["text"].strip()[:1] in {*"=+-@＝"} - {""}]
    assert cells[0]["leaf"] == "0"


def test_xlsx_holds_texts_as_texts_cuts_visibly_and_goes_on_in_a_second_sheet() -> None:
    cuts, file = Cuts(), BytesIO()
    with rows() as source:
        workbook.write(file, {"message": source.of("message"), "event": source.of("event")}, cuts, most=10)
    packed = zipfile.ZipFile(file)
    sheets = [name for name in packed.namelist() if "sheet" in name]
    names = [one.get("name") for one in ElementTree.fromstring(packed.read("xl/workbook.xml")).iter(f"{_MAIN}sheet")]
    read = []
    for sheet in sheets[:2]:
        for row in list(ElementTree.fromstring(packed.read(sheet)).iter(f"{_MAIN}row"))[1:]:
            cell = row[MESSAGE_OPEN.__len__() + 1]
            read.append(("".join(cell.itertext()), cell.get("s"), cell.get("t")))

    assert names == ["Messages", "Messages 2", "Events", "Events 2"]
    assert len(read) == len(HOSTILE)
    for text, (shown, style, kind) in zip(HOSTILE, read, strict=True):
        assert kind == ("inlineStr" if text else None)
        assert (style == "1") == (text.lstrip(" ")[:1] in {*"=＝@+-\t"} - {""})
        assert len(shown) <= 32_767
    assert read[0][0] == "=1+1"
    assert read[11][0] == "_x005F_x0041_"
    assert read[13][0].endswith("[cut]")
    assert cuts.count >= 10


def test_emails_hold_the_row_unchanged_beside_a_text_for_eyes_with_its_trail() -> None:
    cuts = Cuts()
    with rows() as source:
        read = zipfile.ZipFile(BytesIO(made(mails, source, cuts)["eml.zip"]))
    found = {}
    for name in read.namelist():
        mail: Any = message_from_bytes(read.read(name), policy=policy.default)
        text, data, file = mail.iter_parts()
        row = json.loads(data.get_content())
        found[row["message"]["id"]] = row["message"]["text"]
        assert "delivery.read" in text.get_content()
        assert row["trail"][0]["kind"] == "delivery.read"
        assert file.get_content() == b"png"
        assert mail["Message-ID"] == f"<{row['message']['id']}@contact-guard.invalid>"
        assert mail["X-Contact-Guard-Leaf"] == str(row["message"]["proof"]["index"])

    assert list(found.values()) == list(HOSTILE)
    assert cuts.count


def test_the_load_file_keeps_one_line_per_document_and_counts_what_it_replaced() -> None:
    cuts = Cuts()
    with rows() as source:
        lines = made(concordance, source, cuts)["concordance.dat"].decode("utf-8-sig").split("\r\n")
    documents = [
        dict(zip(concordance.FIELDS, [field[1:-1] for field in one.split("\x14")], strict=True)) for one in lines[1:-1]
    ]

    assert len(documents) == 2 * len(HOSTILE)
    assert documents[0]["TEXT"] == "=1+1"
    assert documents[0]["ATTACHRANGE"] == "CG000000001-CG000000002"
    assert documents[1]["PARENT_BATES"] == documents[0]["FIRSTBATES"]
    assert documents[14]["TEXT"] == "line®break®and®more"
    assert documents[16]["TEXT"] == "NUL \ufffd and \ufffd \ufffd \ufffd"
    assert "delivery.read" in documents[0]["TRAIL"]
    assert cuts.count >= 2


def test_rsmf_has_all_that_its_schema_requires_and_refers_to_nothing_missing() -> None:
    with rows() as source:
        packed = zipfile.ZipFile(BytesIO(made(rsmf, source, Cuts())["rsmf.zip"]))
    texts = []
    for name in packed.namelist():
        mail: Any = message_from_bytes(packed.read(name), policy=policy.default)
        inner = zipfile.ZipFile(BytesIO(next(mail.iter_attachments()).get_content()))
        told = json.loads(inner.read("rsmf_manifest.json"))
        people = {one["id"] for one in told["participants"]}
        assert told["version"] == mail["X-RSMF-Version"] == "2.0.0"
        assert int(mail["X-RSMF-EventCount"]) == len(told["events"])
        for event in told["events"]:
            assert event["type"] == "message"
            assert event["participant"] in people
            assert event["conversation"] == told["conversations"][0]["id"] == TALK
            assert {one["id"] for one in event["attachments"]} <= {*inner.namelist()}
            assert all(one["name"] and one["value"] for one in event["custom"])
            assert event["read_receipts"][0]["participant"] in people
            texts.append(event["body"])
        assert {*told["conversations"][0]["participants"]} == people

    assert sorted(texts) == sorted(text.replace("\x00", "\ufffd").replace("\ud800", "\ufffd") for text in HOSTILE)
