"""``eml.zip``: one email per message (RFC 5322), for mail programs and archives.

The text part is for eyes. Mail changes line ends and can't hold every character, so the second part is the row as JSON,
unchanged, with its trail. The files of the message are attached. Addresses that aren't email addresses end in
``.invalid`` (RFC 2606), as do the addresses of people whose address is withheld.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime
from email.header import Header
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime, formataddr
from tempfile import TemporaryFile
from typing import Final

from crm_contact_guard.exports.formats.base import UNKNOWN, Cuts, Made, Row, Rows, told

NAME: Final = "eml.zip"
_MOMENT: Final = (1980, 1, 1, 0, 0, 0)
_MAIL: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")
_MOST_SUBJECT: Final = 900


def files(rows: Rows, cuts: Cuts) -> Iterator[Made]:
    """Yield the zip of emails."""
    with TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
            for row in rows.of("message"):
                info = zipfile.ZipInfo(f"{row['occurred_at'][:10]}/{row['id']}.eml", _MOMENT)
                info.compress_type = zipfile.ZIP_DEFLATED
                packed.writestr(info, mail(row, rows, cuts))
        file.seek(0)
        yield Made(NAME, iter(lambda: file.read(1 << 16), b""), packed=True)


def mail(row: Row, rows: Rows, cuts: Cuts) -> bytes:
    """Return one message as an email."""
    trail = rows.trail(row["id"])
    whole = MIMEMultipart("mixed", boundary=f"=_{row['id']}")
    ours, theirs = (
        address(row[f"{side}_name"], row[f"{side}_address"], row["channel"], row["id"]) for side in ("from", "to")
    )
    headers = {
        "Message-ID": message_id(row["id"]),
        "Date": format_datetime(datetime.fromisoformat(row["occurred_at"])),
        "From": ours,
        "To": theirs,
        "Subject": _header(row["subject"] or "", cuts),
        "In-Reply-To": message_id(row["reply_to"]) if row["reply_to"] else "",
        "References": message_id(row["conversation"]),
        "X-Contact-Guard-Channel": row["channel"],
        "X-Contact-Guard-Direction": row["direction"],
        "X-Contact-Guard-Leaf": str(row["proof"]["index"]),
    }
    for name, value in headers.items():
        if value:
            whole[name] = value
    whole.attach(MIMEText(text(row, trail, cuts), "plain", "utf-8"))
    data = MIMEApplication(json.dumps({"message": row, "trail": trail}).encode(), "json")
    data.add_header("Content-Disposition", "attachment", filename="row.json")
    whole.attach(data)
    for file in rows.attached(row["id"]):
        part = MIMEApplication(file.content)
        part.add_header("Content-Disposition", "attachment", filename=("utf-8", "", _line(file.name)))
        whole.attach(part)
    return whole.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def message_id(key: str) -> str:
    """Return the Message-ID for an ID of ours."""
    return f"<{key}@contact-guard.invalid>"


def address(name: str | None, value: str | None, channel: str, key: str) -> str:
    """Return an address for a header."""
    plain = _line(value or "")
    if not _MAIL.fullmatch(plain):
        local = re.sub(r"[^A-Za-z0-9._+-]", "_", plain) or f"withheld-{key[-12:]}"
        plain = f"{local}@{re.sub(r'[^A-Za-z0-9-]', '-', channel) or 'channel'}.invalid"
    return formataddr((_line(name or ""), plain), charset="utf-8")


def text(row: Row, trail: list[Row], cuts: Cuts) -> str:
    """Return the text for eyes: what was written, what is withheld, and what happened to the message."""
    parts = [row["text"] or "", row["quoted"] or ""]
    withheld = [name for name in row["proof"]["digests"] if row[name] is None]
    if withheld:
        parts.append(f"[withheld or erased: {', '.join(withheld)}]")
    parts.append("\n".join(["--", *(told(event) for event in trail)]))
    return cuts.replace("\n\n".join(part for part in parts if part), {0: UNKNOWN, **_SURROGATES})


_SURROGATES: Final[dict[int, str]] = dict.fromkeys(range(0xD800, 0xE000), UNKNOWN)
_BREAKS: Final = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]+")


def _line(value: str) -> str:
    """Return the text on one line, as headers require."""
    return _BREAKS.sub(" ", value).strip()


def _header(value: str, cuts: Cuts) -> str:
    line = cuts.shorten(_line(value), _MOST_SUBJECT)
    cuts.count += line != value and len(line) <= len(value) and not line.endswith("[cut]")
    return line if line.isascii() else Header(line, "utf-8").encode()
