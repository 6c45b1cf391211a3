"""Anymail's webhook views without its email parser.

Anymail parses emails with the standard library, which a small email can bring to a halt (``structure.py``). Therefore,
a copy of its module for the service is loaded. The copy's messages keep a raw email as it is and cut overlong fields.
The host's own use of Anymail is not affected.
"""

from __future__ import annotations

from collections.abc import Iterable
from email.parser import BytesHeaderParser
from email.policy import compat32
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any, Self

from anymail.inbound import AnymailInboundMessage

from crm_contact_guard.channels.email.structure import read

#: Limits on headers that the service has parsed: characters per field, and number of fields.
MAX_FIELD = 5_000
MAX_FIELDS = 500


class InboundMail(AnymailInboundMessage):  # type: ignore[misc]
    """Anymail's message. ``raw`` is the email as the service received it, if the service passes it on."""

    raw: bytes | None = None

    @classmethod
    def parse_raw_mime(cls, s: str) -> Self:
        return cls.parse_raw_mime_bytes(s.encode("utf-8", "surrogateescape"))

    @classmethod
    def parse_raw_mime_chunks(cls, chunks: Iterable[bytes]) -> Self:
        return cls.parse_raw_mime_bytes(b"".join(chunks))

    @classmethod
    def parse_raw_mime_bytes(cls, b: bytes) -> Self:
        """Read the header, which is all that the views ask for, and keep the raw email."""
        message: Self = cls(policy=compat32)
        for name, value in read(b).raw_items():
            message.set_raw(name, value)
        message.raw = b
        return message

    @classmethod
    def construct(cls, raw_headers: str | None = None, headers: Any = None, **given: Any) -> Self:
        fields: list[tuple[str, str]] = []
        if raw_headers is not None:
            fields += BytesHeaderParser(policy=compat32).parsebytes(_header_of(raw_headers)).raw_items()
        if headers is not None:
            fields += headers.items() if hasattr(headers, "items") else headers
        given = {name: _cut(value) if name in _FIELDS else _encodable(value) for name, value in given.items()}
        replaced = {name.removesuffix("_email") for name in _FIELDS if given.get(name) is not None}
        message: Self = super().construct(**given)
        for name, value in fields[:MAX_FIELDS]:
            if name.lower() not in replaced | _CONTAINER:
                message.set_raw(name, _cut(" ".join(str(value).splitlines())))
        return message

    @classmethod
    def construct_attachment(cls, content_type: str, content: Any, *args: Any, **given: Any) -> Self:
        """Construct an attachment. An attached email is kept encoded as it is, and not parsed here."""
        if not str(content_type).lower().startswith("message/"):
            kept: Self = super().construct_attachment(content_type, content, *args, **given)
            return kept
        data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
        part: Self = super().construct_attachment("application/octet-stream", data, *args, **given)
        part.replace_header("Content-Type", content_type.partition(";")[0])
        return part


_FIELDS = frozenset({"from_email", "to", "cc", "bcc", "subject"})
_CONTAINER = frozenset({"mime-version", "content-type", "content-transfer-encoding"})


def webhooks(esp: str) -> ModuleType:
    """Return a copy of Anymail's module with the service's views. Raises ImportError for an unknown service."""
    name = f"anymail.webhooks.{esp}"
    spec = find_spec(name) if esp else None
    if spec is None or spec.loader is None:
        raise ImportError(f"No module named {name!r}")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    module.AnymailInboundMessage = InboundMail  # type: ignore[attr-defined]
    return module


def _header_of(raw_headers: str) -> bytes:
    mail = read(raw_headers.encode("utf-8", "surrogateescape"))
    return b"".join(f"{name}: {value}\r\n".encode("ascii", "surrogateescape") for name, value in mail.raw_items())


def _cut(value: Any) -> Any:
    return _encodable(value[:MAX_FIELD]) if isinstance(value, str) else value


def _encodable(value: Any) -> Any:
    """Replace lone surrogates, which JSON may contain, if ``value`` is a string."""
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value
