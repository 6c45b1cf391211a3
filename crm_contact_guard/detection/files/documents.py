"""Extracts the text of plain text files and PDFs from untrusted bytes, within fixed limits.

When run as a program, the module reads a PDF from standard input and writes its text. ``read_apart`` does this in a
separate process that can be killed, for files from strangers. PDFs need the extra ``pdf`` (pypdf).
"""

from __future__ import annotations

import codecs
import io
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from crm_contact_guard.detection.text.charsets import decode

#: Text takes a few kilobytes per page. Only images make a PDF larger, and they are not read.
MAX_BYTES = 20 * 1024 * 1024
MAX_PAGES = 40
MAX_TEXT = 200_000
#: Limits of the reading process: seconds of CPU time and bytes of memory.
MAX_SECONDS = 20
MAX_MEMORY = 768 * 1024 * 1024


class UnreadableDocumentError(Exception):
    """The document is damaged or encrypted, too large, or takes too long."""


def read_text(data: bytes) -> str:
    """Decode plain text, including the encodings still in use in Japan. Never raises."""
    head = data[: 4 * MAX_TEXT]
    if len(head) < len(data):
        # Don't cut within a character.
        head = head[: head.rfind(b"\n") + 1] or head
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", "replace")[:MAX_TEXT]
    return decode(head.removeprefix(codecs.BOM_UTF8))[:MAX_TEXT]


def read_pdf(data: bytes) -> str:
    """Return the text and link targets of a PDF's first pages. Raises UnreadableDocumentError, or ImportError if pypdf is not installed."""
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
    """Return the targets of the page's links, since a contact may appear in a link but not in the text."""
    targets = []
    for annotation in page.get("/Annots") or ():  # type: ignore[attr-defined]
        action = annotation.get_object().get("/A")
        uri = action.get_object().get("/URI") if action is not None else None
        if isinstance(uri, str):
            targets.append(uri[:2000])
    return targets[:100]


def read_apart(data: bytes) -> str:
    """Run ``read_pdf`` in a separate process with limited time and memory.

    Raises UnreadableDocumentError, or ImportError if pypdf is not installed.
    """
    import importlib.util

    if importlib.util.find_spec("pypdf") is None:
        raise ImportError("pypdf")
    if len(data) > MAX_BYTES:
        raise UnreadableDocumentError("too large")
    try:
        process = subprocess.run(  # noqa: S603 - our own module, and the bytes go to standard input
            [_python(), "-m", "crm_contact_guard.detection.files.documents"],
            input=data,
            capture_output=True,
            timeout=MAX_SECONDS * 3,
            check=False,
        )
    except (subprocess.TimeoutExpired, OSError) as error:
        raise UnreadableDocumentError(type(error).__name__) from error
    if process.returncode:
        raise UnreadableDocumentError(
            process.stderr.decode("utf-8", "replace").strip()[-200:] or str(process.returncode)
        )
    return process.stdout.decode("utf-8", "replace")


def _python() -> str:
    """Return the path of the interpreter. In a server that embeds Python (uWSGI), ``sys.executable`` is the server."""
    executable = Path(sys.executable or "")
    if executable.stem.lower().startswith("python"):
        return str(executable)
    in_prefix = Path(sys.prefix) / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python3")
    return str(in_prefix) if in_prefix.exists() else "python3"


def main() -> int:
    """Read a PDF from standard input and write its text to standard output.

    If it can't be read, write a message to standard error and return 1.
    """
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
    except ImportError:  # Windows has no limits; the caller's timeout applies
        return
    for kind, maximum in ((resource.RLIMIT_CPU, MAX_SECONDS), (resource.RLIMIT_AS, MAX_MEMORY)):
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (maximum, maximum))


if __name__ == "__main__":
    sys.exit(main())
