"""Small real files for tests."""

from __future__ import annotations

import io

from django.http import HttpResponse

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


def pdf(text: str, link: str = "") -> bytes:
    """A PDF of one page that shows ``text`` (Latin letters), and leads to ``link``."""
    shown = text.replace("\\", "").replace("(", "").replace(")", "")
    stream = f"BT /F1 12 Tf 40 700 Td ({shown}) Tj ET".encode("latin-1", "replace")
    annotation = f"/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI ({link}) >> >>]"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        + (annotation.encode() if link else b"")
        + b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, start)
    return bytes(out)


def qr_png(text: str) -> bytes:
    """A picture of a QR code."""
    import segno

    held = io.BytesIO()
    segno.make(text, error="m").save(held, kind="png", scale=6)
    return held.getvalue()


def read_to_end(response: HttpResponse) -> bytes:
    """An answer's body. A streamed one closed unread would close the test's own connection to a server."""
    return b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[attr-defined]
