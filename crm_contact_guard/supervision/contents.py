"""Scans a message's files: their names, the text of plain-text and PDF files, and QR and similar codes in images.

Needs the extras ``pdf`` and ``images``. If one is missing, files of that kind aren't read, which check W006 reports.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

from crm_contact_guard import detection
from crm_contact_guard.channels.base import FileIn
from crm_contact_guard.conf import settings
from crm_contact_guard.detection.files import documents, images
from crm_contact_guard.detection.types import Direction, Finding, Kind, Scan, Stance
from crm_contact_guard.files import sniffing
from crm_contact_guard.files.models import Attachment
from crm_contact_guard.files.storage import backend
from crm_contact_guard.hosting import logs
from crm_contact_guard.policy.versions.current import company_now
from crm_contact_guard.record.models import Message

logger = logs.logger(__name__)

#: The detector name of a finding for a file that couldn't be read.
UNREAD = "file.unread"
#: Maximum number of files read per recorded message. Carriers deliver at most ten; an email can have any number.
MOST_FILES = 20


@dataclass(frozen=True)
class Content:
    """The scan of a file's content or of its name. ``place`` is as in ``Finding.place``."""

    place: str
    file: str
    scan: Scan


def of_files(files: Iterable[FileIn], direction: Direction) -> list[Content]:
    """Scan files before they are sent."""
    scanned: list[Content] = []
    for number, file in enumerate(files):
        scanned += _name(number, file.name, direction)
        scanned += _content(number, file.name, file.content, direction)
    return scanned


def of_message(message: Message) -> list[Content]:
    """Read the files of a recorded message from storage, and scan them."""
    direction = Direction(message.direction)
    rows = message.attachments.exclude(stored_as="").filter(kind=Attachment.Kind.ATTACHMENT)
    scanned: list[Content] = []
    for row in rows[:MOST_FILES]:
        scanned += _name(row.position, row.name, direction)
        if row.size > documents.MAX_BYTES:
            scanned += _unread(row.position, row.name, direction, "too large")
            continue
        try:
            with backend().open(row.stored_as) as stream:
                content = stream.read()
        except OSError:
            # Verification of the record reports the missing file. Inspection continues with the other files.
            logger.exception("A file of message %s can't be read from the storage", message.pk)
            continue
        scanned += _content(row.position, row.name, content, direction, semantic_stage=settings.semantic)
    return scanned


def names(message: Message) -> dict[str, str]:
    """Map each place in the message's files that a finding can name (``Finding.place``) to the name of the file."""
    listed = json.loads(message.files or "[]")
    return {f"{part}-{number}": str(file.get("name", "")) for number, file in enumerate(listed) for part in PARTS}


#: The scanned parts of a file: its content and its name.
PARTS = ("file", "name")


def _name(number: int, name: str, direction: Direction) -> list[Content]:
    scan = _scan(_words_of(name), direction)
    return [Content(f"name-{number}", name, scan)] if scan.findings else []


def _content(
    number: int, name: str, content: bytes, direction: Direction, *, semantic_stage: bool = False
) -> list[Content]:
    # Use the content to determine the type, not what a carrier or sender claims.
    kind = sniffing.content_type_of(content)
    try:
        text = _read(kind, content)
    except ImportError:
        return []
    except (documents.UnreadableDocumentError, images.UnreadableImageError) as error:
        return _unread(number, name, direction, str(error))
    scan = _scan(text, direction, semantic_stage=semantic_stage)
    if kind.startswith("image/"):
        marked = tuple(replace(finding, technique=images.TECHNIQUE) for finding in scan.findings)
        scan = replace(scan, findings=marked)
    return [Content(f"file-{number}", name, scan)] if scan.findings else []


def _read(kind: str, content: bytes) -> str:
    if kind.startswith("text/"):
        return documents.read_text(content)
    if kind == "application/pdf":
        return documents.read_apart(content)
    if kind.startswith("image/"):
        return "\n".join(images.read(content))
    return ""


def _unread(number: int, name: str, direction: Direction, why: str) -> list[Content]:
    """Return a finding for an unreadable outbound file. Unreadable files from customers aren't reported."""
    logger.info("A file could not be read: %s", why)
    if direction is not Direction.OUTBOUND:
        return []
    finding = Finding(Kind.CONTACT_REQUEST, 0, 0, 0.5, UNREAD, "1")
    return [Content(f"file-{number}", name, replace(_NOTHING, findings=(finding,)))]


def _words_of(name: str) -> str:
    """Return a file name as text, without its extension and with underscores replaced by spaces."""
    stem = name.rpartition(".")[0] or name
    return stem if " " in stem or "@" in stem else stem.replace("_", " ")


def _scan(text: str, direction: Direction, *, semantic_stage: bool = False) -> Scan:
    if not text.strip():
        return _NOTHING
    # Files aren't searched for quotes of earlier messages, so all of their text counts as the sender's words.
    return detection.scan(text, direction=direction, company=company_now(), said=(), semantic_stage=semantic_stage)


_NOTHING = Scan(attempt=False, by=None, stance=Stance.NONE, score=0.0)
