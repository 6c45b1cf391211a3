"""Parsers, renderers and fields for JSON. They don't depend on the host's DRF settings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import IO, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema_field
from rest_framework import ISO_8601, exceptions, serializers, status
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser, DataAndFiles, MultiPartParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from crm_contact_guard.conf import settings
from crm_contact_guard.hosting import bounded_json

#: Largest JSON body. A message has at most about 20,000 characters; all other requests are smaller.
MAX_BODY_BYTES = 1024 * 1024
#: Maximum number of files in a message on any channel.
MAX_FILES = 10


class TooLarge(exceptions.APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = gettext_lazy("The request body is too large.")
    default_code = "too-large"


class Json(JSONRenderer):
    """Compact JSON in UTF-8."""

    compact = True
    ensure_ascii = False
    strict = True


class Problem(Json):
    """Problem details as JSON (RFC 9457)."""

    media_type = "application/problem+json"
    format = "problem"


class JsonBody(BaseParser):
    """A parser for a JSON object in UTF-8 (RFC 8259 §8.1) of limited size. An invalid body results in 400 or 413."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        body = stream.read(MAX_BODY_BYTES + 1)
        if len(body) > MAX_BODY_BYTES:
            raise TooLarge
        return _object(body)


def _object(body: bytes) -> dict[str, Any]:
    try:
        data = bounded_json.read(body)
    except bounded_json.UnboundedJson as error:
        # The parser's own message is not returned, since it may quote the input.
        raise exceptions.ParseError(_("The body is not JSON in UTF-8.")) from error
    if not isinstance(data, dict):
        raise exceptions.ParseError(_("The body must be a JSON object."))
    return data


class JsonWithFiles(MultiPartParser):
    """A parser for ``multipart/form-data`` (RFC 7578).

    The part ``message`` contains the JSON object, and each part ``files`` one file. The size limit allows for the
    maximum number of files on any channel, each of the maximum size.
    """

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        headers = (parser_context or {})["request"].headers
        length = headers.get("Content-Length", "0")
        most = MAX_BODY_BYTES + MAX_FILES * int(settings.MAX_FILE_BYTES)
        if not length.isdecimal() or int(length) > most:
            raise TooLarge
        found = super().parse(stream, media_type, parser_context)
        strange = (set(found.data) - {"message"}) | (set(found.files) - {"files"})
        if strange:
            raise exceptions.ParseError(
                _("A message with files has the parts message and files, no %(part)s.") % {"part": min(strange)[:50]}
            )
        body = str(found.data.get("message", "{}")).encode("utf-8", "replace")
        if len(body) > MAX_BODY_BYTES:
            raise TooLarge
        return DataAndFiles(_object(body), found.files)


class OneRenderer(BaseContentNegotiation):
    """Each URL has one representation, so ``Accept`` and ``?format=`` are ignored (RFC 9110 §12.1)."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        wanted = (request.content_type or "").split(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == wanted), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type or ""


class Moment(serializers.DateTimeField):
    """A time in UTC, in ISO 8601 format. Input without a time zone is read as UTC."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format=ISO_8601, input_formats=[ISO_8601], default_timezone=UTC, **kwargs)


class _JsonText(serializers.JSONField):
    """Canonical JSON text from the record, represented as the value it encodes."""

    def to_representation(self, value: Any) -> Any:
        return json.loads(value)


@extend_schema_field({"type": "object", "additionalProperties": {}})
class JsonObject(_JsonText):
    """JSON text that contains an object."""


@extend_schema_field({"type": "array", "items": {"type": "object", "additionalProperties": {}}})
class JsonObjects(_JsonText):
    """JSON text that contains a list of objects."""
