"""Formats with hostile values: nothing runs, nothing is lost unsaid, and other programs can read the files."""

from __future__ import annotations

import csv
import json
import re
import zipfile
from collections.abc import Iterator
from email import message_from_bytes, policy
from io import BytesIO, StringIO
from typing import Any
from xml.etree import ElementTree

import pypdf
import pytest
from pyarrow import parquet

from crm_contact_guard.exports.formats import (
    columnar,
    concordance,
    fonts,
    mails,
    rsmf,
    running,
    tables,
    transcripts,
    workbook,
)
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


def test_parquet_holds_every_value_with_null_as_null_and_times_as_times() -> None:
    cuts = Cuts()
    with rows() as source:
        read = made(columnar, source, cuts)
    table = parquet.read_table(BytesIO(read["messages.parquet"])).to_pylist()

    assert [row["text"] for row in table] == [text.replace("\ud800", "\ufffd") for text in HOSTILE]
    assert [row["leaf"] for row in table] == [*range(len(HOSTILE))]
    assert table[0]["occurred_at"].isoformat() == "2026-11-24T09:12:00.123456+00:00"
    assert table[0]["employee"] is None
    assert parquet.read_table(BytesIO(read["events.parquet"])).num_rows == len(HOSTILE)
    assert cuts.count == 4


def test_a_failed_writer_is_reported_in_words() -> None:
    with running.child("write_parquet", "/nowhere/file") as program:
        program.send(b'{"id": "text"}\n')
        with pytest.raises(running.NotWritten, match="nowhere"):
            program.end()


needs_fonts = pytest.mark.skipif(not transcripts.is_available(), reason="needs typst and a Japanese font")


def printed(read: dict[str, bytes]) -> str:
    """The text of PDF files, without blanks, and without the breaks that long words are given."""
    pages = [page.extract_text() for data in read.values() for page in pypdf.PdfReader(BytesIO(data)).pages]
    return re.sub(r"[\s\u200b]+", "", "".join(pages))


@needs_fonts
def test_a_transcript_shows_each_character_or_its_number_and_runs_nothing() -> None:
    cuts = Cuts()
    with rows() as source:
        read = made(transcripts, source, cuts)
    text = printed(read)

    assert list(read) == [f"transcripts/{TALK}-001.pdf"]
    for hostile in HOSTILE:
        if len(hostile) > 400:
            continue
        shown = "".join(
            one if one in "\n\r\t" or (ord(one) in fonts.characters(fonts.files()[0]) and one not in "\u202e\u2066")
            else f"[U+{ord(one):04X}]" for one in hostile
        )  # fmt: skip
        assert re.sub(r"\s+", "", shown) in text, hostile
    assert "[U+0000]" in text
    assert "[U+202E]gnp.exe" in text
    assert "U+202ERIGHT-TO-LEFTOVERRIDE" in text
    assert "[cut]" in text
    assert cuts.count > 5


@needs_fonts
def test_a_transcript_marks_evidence_breaks_long_words_and_is_the_same_each_time() -> None:
    said = "LINEのIDはhanako_77です！葛\U000e0100城の𠮷野家で" + "！" * 90 + "\nまた" + "a" * 200
    finding = {"row": {"kind": "contact_identifier", "place": "", "start": 8, "end": 17}}
    told = {"kind": "finding.made", "subject_type": "finding", "data": json.dumps(finding)}
    lines: dict[str, list[bytes]] = {
        "message": [line("message", at, text=f"{at}{said}", from_name="佐藤花子") for at in range(10)],
        "event": [line("event", 1000 + at, message=key(at), **told) for at in (0, 5)],
    }
    cuts = Cuts()
    with Rows(lambda kind: iter(lines[kind])) as source, Rows(lambda kind: iter(lines[kind])) as again:
        read = made(transcripts, source, cuts)
        assert made(transcripts, again, Cuts()) == read
    text = printed(read)

    assert all(f"{at}{said}".replace("\n", "") in text for at in range(10))
    assert text.count("Evidence:Privatecontact") == 2
    assert cuts.count == 0


def test_evidence_is_cut_out_of_a_text_also_where_findings_overlap() -> None:
    spans = [(0, 2), (1, 4), (4, 4), (5, 9)]
    assert transcripts._parts("abcdefg", spans) == [("ab", True), ("cd", True), ("e", False), ("fg", True)]
