"""Scans the files of a message: their names, the text of plain-text and PDF files, the codes in images.

Needs the extras ``pdf`` and ``images``; without one, files of that kind are not read (reported by check W006).
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
from crm_contact_guard.policy.company import company
from crm_contact_guard.record.models import Message

logger = logs.logger(__name__)

#: The detector of a finding for a file that could not be read.
UNREAD = "file.unread"
#: Files of one message that are read; carriers deliver at most ten, mails any number.
MOST_FILES = 20


@dataclass(frozen=True)
class Content:
    """One text of a message besides its own text, with its scan. ``place`` as in ``Finding.place``."""

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
    """Scan the files of a recorded message, read from the storage."""
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
            # The verification of the record reports it; inspection continues with the other files.
            logger.exception("A file of message %s can't be read from the storage", message.pk)
            continue
        scanned += _content(row.position, row.name, content, direction, semantic_stage=settings.semantic)
    return scanned


def names(message: Message) -> dict[str, str]:
    """The file name for each possible place of a finding in the message."""
    listed = json.loads(message.files or "[]")
    return {f"{part}-{number}": str(file.get("name", "")) for number, file in enumerate(listed) for part in PARTS}


#: The parts of a file that are scanned: its content and its name.
PARTS = ("file", "name")


def _name(number: int, name: str, direction: Direction) -> list[Content]:
    scan = _scan(_words_of(name), direction)
    return [Content(f"name-{number}", name, scan)] if scan.findings else []


def _content(
    number: int, name: str, content: bytes, direction: Direction, *, semantic_stage: bool = False
) -> list[Content]:
    # By its content, not by the type that a carrier or sender claims.
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
    """A finding for an unreadable outbound file. Unreadable files from customers are not reported."""
    logger.info("A file could not be read: %s", why)
    if direction is not Direction.OUTBOUND:
        return []
    finding = Finding(Kind.CONTACT_REQUEST, 0, 0, 0.5, UNREAD, "1")
    return [Content(f"file-{number}", name, replace(_NOTHING, findings=(finding,)))]


def _words_of(name: str) -> str:
    """A file name as text: without its extension, and with spaces instead of underscores."""
    stem = name.rpartition(".")[0] or name
    return stem if " " in stem or "@" in stem else stem.replace("_", " ")


def _scan(text: str, direction: Direction, *, semantic_stage: bool = False) -> Scan:
    if not text.strip():
        return _NOTHING
    # A file quotes no earlier messages: all of it counts as the sender's words.
    return detection.scan(text, direction=direction, company=company(), said=(), semantic_stage=semantic_stage)


_NOTHING = Scan(attempt=False, by=None, stance=Stance.NONE, score=0.0)
