"""What a document says: plain text and PDF, read from hostile bytes within fixed limits.

Run as a program it reads one PDF from standard input and writes its text: whoever inspects strangers' files has them
read in a process of its own, which may be stopped (``read_apart``). Needs the extra ``pdf`` (pypdf).
"""

from __future__ import annotations

import io
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

#: A PDF of text alone has some kilobytes a page; pictures make it large, and are not read.
MAX_BYTES = 20 * 1024 * 1024
MAX_PAGES = 40
MAX_TEXT = 200_000
#: For the reading process: seconds of processor time and bytes of memory.
MAX_SECONDS = 20
MAX_MEMORY = 768 * 1024 * 1024


class UnreadableDocumentError(Exception):
    """The bytes are no document that can be read within the limits: damaged, encrypted, too large, too slow."""


def read_text(data: bytes) -> str:
    """Plain text in the encodings that people in Japan and elsewhere still send. Never raises."""
    head = data[: 4 * MAX_TEXT]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", "replace")[:MAX_TEXT]
    for encoding in ("utf-8-sig", "cp932", "euc_jp"):
        with suppress(UnicodeDecodeError):
            return head.decode(encoding)[:MAX_TEXT]
    return head.decode("utf-8", "replace")[:MAX_TEXT]


def read_pdf(data: bytes) -> str:
    """The text of a PDF's first pages, and where its links lead. Raises UnreadableDocumentError, ImportError."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    if len(data) > MAX_BYTES:
        raise UnreadableDocumentError("too large")
    parts: list[str] = []
    length = 0
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise UnreadableDocumentError("encrypted")
        for number, page in enumerate(reader.pages):
            if number >= MAX_PAGES or length >= MAX_TEXT:
                break
            for part in (page.extract_text(), *_links(page)):
                parts.append(part)
                length += len(part)
    except (PyPdfError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, OSError) as error:
        raise UnreadableDocumentError(type(error).__name__) from error
    except (RecursionError, MemoryError, NotImplementedError) as error:
        raise UnreadableDocumentError(type(error).__name__) from error
    return "\n".join(part for part in parts if part)[:MAX_TEXT]


def _links(page: object) -> list[str]:
    """Addresses behind the page's links: a contact may stand in one and nowhere in the text."""
    found = []
    for annotation in page.get("/Annots") or ():  # type: ignore[attr-defined]
        action = annotation.get_object().get("/A")
        uri = action.get_object().get("/URI") if action is not None else None
        if isinstance(uri, str):
            found.append(uri[:2000])
    return found[:100]


def read_apart(data: bytes) -> str:
    """``read_pdf`` in a process of its own with limits on time and memory. Raises UnreadableDocumentError, ImportError."""
    import importlib.util

    if importlib.util.find_spec("pypdf") is None:
        raise ImportError("pypdf")
    if len(data) > MAX_BYTES:
        raise UnreadableDocumentError("too large")
    try:
        done = subprocess.run(  # noqa: S603 - our own module, and the bytes go to standard input
            [_python(), "-m", "crm_contact_guard.detection.files.documents"],
            input=data,
            capture_output=True,
            timeout=MAX_SECONDS * 3,
            check=False,
        )
    except (subprocess.TimeoutExpired, OSError) as error:
        raise UnreadableDocumentError(type(error).__name__) from error
    if done.returncode:
        raise UnreadableDocumentError(done.stderr.decode("utf-8", "replace").strip()[-200:] or str(done.returncode))
    return done.stdout.decode("utf-8", "replace")


def _python() -> str:
    """The interpreter; a server that embeds Python (uWSGI) names itself in ``sys.executable``."""
    own = Path(sys.executable or "")
    if own.stem.lower().startswith("python"):
        return str(own)
    beside = Path(sys.prefix) / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python3")
    return str(beside) if beside.exists() else "python3"


def main() -> int:
    """Read standard input, write the text; 1 and a word on standard error when it can't be read."""
    _limit()
    import logging

    logging.disable(logging.CRITICAL)
    try:
        text = read_pdf(sys.stdin.buffer.read(MAX_BYTES + 1))
    except UnreadableDocumentError as error:
        sys.stderr.write(str(error))
        return 1
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))
    return 0


def _limit() -> None:
    try:
        import resource
    except ImportError:  # not on Windows; there the caller's time-out remains
        return
    for kind, most in ((resource.RLIMIT_CPU, MAX_SECONDS), (resource.RLIMIT_AS, MAX_MEMORY)):
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (most, most))


if __name__ == "__main__":
    sys.exit(main())
