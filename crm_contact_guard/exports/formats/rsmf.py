"""``rsmf.zip``: chats for e-discovery programs in Relativity's Short Message Format 2.0, one file per day.

An ``.rsmf`` file is an email with one attachment, ``rsmf.zip``, which contains ``rsmf_manifest.json``. The email's body
is the transcript, from which programs take the text to search. Values that the format has no member for are in
``custom``: the leaf, the decision before sending, erasures and all other events about the message.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from io import BytesIO
from itertools import groupby, islice
from tempfile import TemporaryFile
from typing import Any, Final

from crm_contact_guard.exports.formats.base import UNKNOWN, Cuts, Made, Row, Rows, told
from crm_contact_guard.exports.formats.mails import address

NAME: Final = "rsmf.zip"
VERSION: Final = "2.0.0"
MOST_EVENTS: Final = 10_000
_MOMENT: Final = (1980, 1, 1, 0, 0, 0)
_MISSING: Final = dict.fromkeys([0, *range(0xD800, 0xE000)], UNKNOWN)
_UNSAFE: Final = re.compile(r'[\x00-\x1f<>:"/\\|?*]')
_DIRECTIONS: Final = {"inbound": "incoming", "outbound": "outgoing"}
_RECEIPTS: Final = {"delivery.delivered": "delivered", "delivery.read": "read"}


def files(rows: Rows, cuts: Cuts) -> Iterator[Made]:
    """Yield the zip of ``.rsmf`` files."""
    with TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
            for talk, messages in rows.talks():
                for day, of_day in groupby(messages, key=lambda row: row["occurred_at"][:10]):
                    number = 0
                    while part := list(islice(of_day, MOST_EVENTS)):
                        number += 1
                        name = f"{talk}/{day}-{number:03}.rsmf"
                        packed.writestr(_info(name), _file(talk, part, rows, cuts))
        file.seek(0)
        yield Made(NAME, iter(lambda: file.read(1 << 16), b""), packed=True)


def manifest(talk: str, messages: list[Row], rows: Rows, cuts: Cuts) -> dict[str, Any]:
    """Return ``rsmf_manifest.json`` of some messages of one conversation."""
    people: dict[str, dict[str, Any]] = {}
    events = [_event(row, rows, people, cuts) for row in messages]
    known = {event["id"] for event in events}
    for event in events:
        # A parent in another file can't be referred to.
        if event.get("parent") not in known:
            event.pop("parent", None)
    conversation = {
        "id": talk,
        "platform": messages[0]["channel"],
        "type": "direct",
        "custodian": next((row["employee"] for row in messages if row["employee"]), None),
        "participants": list(people),
    }
    return {
        "version": VERSION,
        "participants": list(people.values()),
        "conversations": [{name: value for name, value in conversation.items() if value is not None}],
        "events": events,
    }


def _event(row: Row, rows: Rows, people: dict[str, dict[str, Any]], cuts: Cuts) -> dict[str, Any]:
    trail = rows.trail(row["id"])
    writer, reader = _participants(row, people)
    withheld = [name for name in row["proof"]["digests"] if row[name] is None]
    customs = {"leaf": str(row["proof"]["index"]), "kind": row["kind"], "source": row["source"]}
    customs |= {"subject": row["subject"] or "", "quoted": row["quoted"] or "", "withheld": " ".join(withheld)}
    custom = [{"name": name, "value": cuts.replace(value, _MISSING)} for name, value in customs.items() if value]
    custom += [{"name": "trail", "value": cuts.replace(told(event), _MISSING)} for event in trail]
    event: dict[str, Any] = {
        "id": row["id"],
        "type": "message",
        "conversation": row["conversation"],
        "participant": writer,
        "timestamp": row["occurred_at"],
        "body": cuts.replace(row["text"] or "", _MISSING),
        "deleted": "text" in withheld,
        "custom": custom,
    }
    if row["direction"] in _DIRECTIONS:
        event["direction"] = _DIRECTIONS[row["direction"]]
    if row["reply_to"]:
        event["parent"] = row["reply_to"]
    receipts = [
        {"participant": reader, "timestamp": one["occurred_at"], "action": _RECEIPTS[one["kind"]]}
        for one in trail
        if one["kind"] in _RECEIPTS
    ]
    if receipts:
        event["read_receipts"] = receipts
    attached = [
        {"id": f"{row['id']}-{at}-{_UNSAFE.sub('_', file.name)}", "display": file.name, "size": len(file.content)}
        for at, file in enumerate(rows.attached(row["id"]))
    ]
    if attached:
        event["attachments"] = attached
    return event


def _participants(row: Row, people: dict[str, dict[str, Any]]) -> tuple[str, str]:
    """Add the writer and the reader of a message to ``people``, and return their IDs."""
    customer, staff = f"customer-{row['customer']}", f"employee-{row['employee'] or row['conversation']}"
    is_theirs = row["direction"] == "inbound"
    sides = {"from": customer if is_theirs else staff, "to": staff if is_theirs else customer}
    for side, key in sides.items():
        person = people.setdefault(key, {"id": key, "display": key})
        if row[f"{side}_name"]:
            person["display"] = row[f"{side}_name"]
        if row[f"{side}_address"]:
            person["email" if "@" in row[f"{side}_address"] else "account_id"] = row[f"{side}_address"]
    return sides["from"], sides["to"]


def _file(talk: str, messages: list[Row], rows: Rows, cuts: Cuts) -> bytes:
    described = manifest(talk, messages, rows, cuts)
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as inner:
        inner.writestr(
            _info("rsmf_manifest.json"), json.dumps(described, ensure_ascii=False).encode("utf-8", "replace")
        )
        for row in messages:
            for at, file in enumerate(rows.attached(row["id"])):
                inner.writestr(_info(f"{row['id']}-{at}-{_UNSAFE.sub('_', file.name)}"), file.content)
    first, last = messages[0], messages[-1]
    whole = MIMEMultipart("mixed", boundary=f"=_{first['id']}")
    headers = {
        "From": address(first["from_name"], first["from_address"], first["channel"], first["id"]),
        "To": address(first["to_name"], first["to_address"], first["channel"], first["id"]),
        "X-RSMF-Version": VERSION,
        "X-RSMF-Generator": "crm_contact_guard",
        "X-RSMF-BeginDate": first["occurred_at"],
        "X-RSMF-EndDate": last["occurred_at"],
        "X-RSMF-EventCount": str(len(messages)),
        "X-RSMF-Application": first["channel"],
        "X-RSMF-AttachmentCount": str(sum(len(event.get("attachments", ())) for event in described["events"])),
        "X-RSMF-EventCollectionID": talk,
    }
    for name, value in headers.items():
        whole[name] = value
    shown = {person["id"]: person["display"] for person in described["participants"]}
    lines = [f"{one['timestamp']} {shown[one['participant']]}: {one['body']}" for one in described["events"]]
    whole.attach(MIMEText("\n".join(lines).translate(_MISSING), "plain", "utf-8"))
    part = MIMEApplication(packed.getvalue(), "zip", name="rsmf.zip")
    part.add_header("Content-Disposition", "attachment", filename="rsmf.zip")
    whole.attach(part)
    return whole.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _MOMENT)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info
