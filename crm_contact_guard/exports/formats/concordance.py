"""``concordance.dat``: a load file for e-discovery programs, one row per message and per file.

Fields are separated by U+0014 and quoted with þ (U+00FE); a line break inside a field is ® (U+00AE). UTF-8 with a byte
order mark, CRLF, a header row. The field names are those of the SEC's Data Delivery Standards, then our own. The three
characters can't occur in a text, so they are replaced and counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from crm_contact_guard.exports.formats.base import UNKNOWN, Cuts, Made, Row, Rows, told
from crm_contact_guard.proof.manifest import ATTACHMENTS

NAME: Final = "concordance.dat"
SEPARATOR, QUOTE, BREAK = "\x14", "\xfe", "\xae"
_REPLACED: Final = {0x14: UNKNOWN, 0xFE: UNKNOWN, 0xAE: UNKNOWN, 0: UNKNOWN}
FIELDS: Final = (
    "FIRSTBATES", "LASTBATES", "ATTACHRANGE", "BEGATTACH", "ENDATTACH", "PARENT_BATES", "CUSTODIAN", "FROM", "TO",
    "SUBJECT", "FILE_NAME", "DATE_SENT", "TIME_SENT/TIME_ZONE", "TIME_ZONE", "LINK", "MIME_TYPE", "FILE_SIZE",
    "INTMSGID", "CONVERSATION", "CUSTOMER", "DIRECTION", "CHANNEL", "KIND", "SOURCE", "WITHHELD", "LEAF", "SHA256",
    "TEXT", "QUOTED", "TRAIL",
)  # fmt: skip


def files(rows: Rows, cuts: Cuts) -> Iterator[Made]:
    """Yield the load file."""
    yield Made(NAME, _lines(rows, cuts))


def _lines(rows: Rows, cuts: Cuts) -> Iterator[bytes]:
    yield "\ufeff".encode() + _line(FIELDS, cuts)
    number = 0
    for row in rows.of("message"):
        listed = json.loads(row["files"] or "[]")
        first, last = number + 1, number + 1 + len(listed)
        number = last
        family = {
            "BEGATTACH": _bates(first), "ENDATTACH": _bates(last), "ATTACHRANGE": f"{_bates(first)}-{_bates(last)}",
        } if listed else {}  # fmt: skip
        yield _document({**_message(row, rows.trail(row["id"])), **family}, first, cuts)
        for at, file in enumerate(listed, first + 1):
            link = f"{ATTACHMENTS}{file['sha256']}" if rows.with_files else ""
            named = {
                "PARENT_BATES": _bates(first), "FILE_NAME": file["name"], "MIME_TYPE": file["type"], "LINK": link,
                "FILE_SIZE": str(file["size"]), "SHA256": file["sha256"], "CONVERSATION": row["conversation"],
            }  # fmt: skip
            yield _document({**named, **family}, at, cuts)


def _message(row: Row, trail: list[Row]) -> dict[str, str]:
    at = datetime.fromisoformat(row["occurred_at"])
    return {
        "CUSTODIAN": row["employee"] or "",
        "FROM": _person(row, "from"),
        "TO": _person(row, "to"),
        "SUBJECT": row["subject"] or "",
        "DATE_SENT": f"{at:%m/%d/%Y}",
        "TIME_SENT/TIME_ZONE": f"{at:%H:%M:%S} UTC",
        "TIME_ZONE": "UTC",
        "MIME_TYPE": "text/plain",
        "INTMSGID": row["id"],
        "CONVERSATION": row["conversation"],
        "CUSTOMER": row["customer"],
        "DIRECTION": row["direction"],
        "CHANNEL": row["channel"],
        "KIND": row["kind"],
        "SOURCE": row["source"],
        "WITHHELD": " ".join(name for name in row["proof"]["digests"] if row[name] is None),
        "LEAF": str(row["proof"]["index"]),
        "TEXT": row["text"] or "",
        "QUOTED": row["quoted"] or "",
        "TRAIL": "\n".join(told(event) for event in trail),
    }


def _person(row: Row, side: str) -> str:
    name, address = row[f"{side}_name"] or "", row[f"{side}_address"] or ""
    return f"{name} <{address}>" if name and address else name or address


def _bates(number: int) -> str:
    return f"CG{number:09}"


def _document(values: dict[str, str], number: int, cuts: Cuts) -> bytes:
    numbered = {"FIRSTBATES": _bates(number), "LASTBATES": _bates(number), **values}
    return _line([numbered.get(name, "") for name in FIELDS], cuts)


def _line(values: tuple[str, ...] | list[str], cuts: Cuts) -> bytes:
    quoted = [f"{QUOTE}{_text(value, cuts)}{QUOTE}" for value in values]
    return (SEPARATOR.join(quoted) + "\r\n").encode("utf-8", "replace")


def _text(value: str, cuts: Cuts) -> str:
    text = cuts.replace(value, _REPLACED)
    return text.replace("\r\n", BREAK).replace("\n", BREAK).replace("\r", BREAK)
