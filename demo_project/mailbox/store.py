"""Mail in Maildirs, one folder per address."""

from __future__ import annotations

import mailbox
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import quote, unquote

from crm_contact_guard.channels.email.html_text import html_text


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One mail as displayed."""

    key: str
    sender: str
    sender_address: str
    subject: str
    text: str
    received_at: datetime
    message_id: str
    references: str
    reply_to: str
    possible_duplicate: bool


def folder_of(root: Path, address: str) -> Path:
    """The Maildir of an address; always directly in ``root``, whatever the address contains."""
    return root / quote(address.strip().lower(), safe="@+-_.").replace("..", "%2E%2E").lstrip(".")


def deliver(root: Path, address: str, content: bytes) -> None:
    """Put a mail into the folder of the address. A Maildir renames complete files: readers never see partial mail."""
    root.mkdir(parents=True, exist_ok=True)
    mailbox.Maildir(folder_of(root, address), create=True).add(content)


def counts(root: Path) -> dict[str, int]:
    """The number of mails of each address."""
    if not root.is_dir():
        return {}
    return {
        unquote(folder.name): len(mailbox.Maildir(folder, create=False))
        for folder in sorted(root.iterdir())
        if (folder / "new").is_dir()
    }


def letters(root: Path, address: str) -> list[Letter]:
    """All mails of an address, newest first."""
    folder = folder_of(root, address)
    if not (folder / "new").is_dir():
        return []
    box = mailbox.Maildir(folder, create=False)
    mails = [_letter(key, box.get_bytes(key), box.get_message(key).get_date()) for key in box.keys()]  # noqa: SIM118
    return sorted(mails, key=lambda letter: letter.received_at, reverse=True)


def letter(root: Path, address: str, key: str) -> Letter | None:
    """One mail of an address, or None."""
    return next((one for one in letters(root, address) if one.key == key), None)


def _letter(key: str, content: bytes, received: float) -> Letter:
    mail = message_from_bytes(content, policy=policy.default)
    name, address = parseaddr(str(mail["From"] or ""))
    return Letter(
        key=key,
        sender=name or address,
        sender_address=address,
        subject=str(mail["Subject"] or ""),
        text=_text(mail),
        received_at=datetime.fromtimestamp(received, tz=UTC),
        message_id=str(mail["Message-ID"] or "").strip(),
        references=" ".join(str(mail["References"] or "").split()),
        reply_to=parseaddr(str(mail["Reply-To"] or ""))[1] or address,
        possible_duplicate=mail["X-Contact-Guard-Possible-Duplicate"] is not None,
    )


def _text(mail: EmailMessage) -> str:
    body = mail.get_body(preferencelist=("plain", "html"))
    if not isinstance(body, EmailMessage):
        return ""
    try:
        content = str(body.get_content())
    except (LookupError, KeyError):  # unknown charset or type: use the raw bytes
        payload = body.get_payload(decode=True)
        content = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    return html_text(content) if body.get_content_subtype() == "html" else content
