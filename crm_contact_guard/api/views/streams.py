"""``messages.jsonl`` and ``messages.csv``: all messages the caller may read, in one streamed response."""

from __future__ import annotations

from typing import ClassVar

from django.http import HttpResponseBase
from django.utils.cache import patch_vary_headers
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from crm_contact_guard.api import filters
from crm_contact_guard.api.base import GuardView
from crm_contact_guard.api.schema import PROBLEMS, UNMASK, UNMASK_REASON, UNMASKING, described
from crm_contact_guard.api.views.messages import ALL_MESSAGE_FILTERS
from crm_contact_guard.exports.compressing import coding_for, compressed
from crm_contact_guard.exports.streams import FormName, stream_open
from crm_contact_guard.hosting.downloads import streamed

_FILTERS = filters.parameters(ALL_MESSAGE_FILTERS)
_AFTER = OpenApiParameter(
    "after",
    OpenApiTypes.UUID,
    description="Begin after this message, the last one of a stream that was cut. The caller must be able to read it.",
)
_BOM = OpenApiParameter("bom", OpenApiTypes.BOOL, description="Begin with a byte order mark, as Excel wants it.")


class _Stream(GuardView):
    form: ClassVar[FormName]
    also: ClassVar[tuple[str, ...]] = (*UNMASKING, "after")
    reading = "export"
    pagination_class = None

    def answer(self, request: Request) -> HttpResponseBase:
        """Return the streaming response. The export is recorded before the first byte is sent."""
        chosen = filters.read(request, ALL_MESSAGE_FILTERS, also=self.also)
        stream = stream_open(
            viewer=self.viewer,
            form=self.form,
            lookups=chosen.lookups,
            filters=chosen.texts,
            after=filters.row_id(request, "after"),
            unmask=filters.flag(request, "unmask"),
            reason=request.query_params.get(UNMASK_REASON.name, ""),
            bom=filters.flag(request, "bom"),
        )
        coding = coding_for(request.headers.get("Accept-Encoding", ""))
        chunks = compressed(stream.chunks, coding)
        response = streamed(request._request, chunks, content_type=stream.content_type, file_name=stream.file_name)
        if coding:
            response["Content-Encoding"] = coding
        patch_vary_headers(response, ("Accept-Encoding",))
        return response


class MessagesJsonl(_Stream):
    """Export messages as JSON Lines, one object per line, oldest record first.

    If the caller may read only part of the record, messages are grouped by conversation. The last line is
    `{"end": {"rows": …, "sha256": …, "last": …}}` with the number of messages, the digest of all bytes before it, and
    the last message's ID. A stream without it was cut.
    """

    form = "jsonl"

    @described(
        operation_id="messages_jsonl",
        parameters=[UNMASK, UNMASK_REASON, _AFTER, *_FILTERS],
        responses={(200, "application/jsonl"): OpenApiTypes.STR, **PROBLEMS(400, 401, 403)},
    )
    def get(self, request: Request) -> HttpResponseBase:
        return self.answer(request)


class MessagesCsv(_Stream):
    """Export messages as CSV (RFC 4180, UTF-8), oldest record first.

    If the caller may read only part of the record, messages are grouped by conversation. Text that a spreadsheet would
    run as a formula is escaped. The first cell of the last line is `#end`, followed by the number of messages, the
    digest of all bytes before the line, and the last message's ID. A stream without it was cut.
    """

    form = "csv"
    also = (*UNMASKING, "after", "bom")

    @described(
        operation_id="messages_csv",
        parameters=[UNMASK, UNMASK_REASON, _AFTER, _BOM, *_FILTERS],
        responses={(200, "text/csv"): OpenApiTypes.STR, **PROBLEMS(400, 401, 403)},
    )
    def get(self, request: Request) -> HttpResponseBase:
        return self.answer(request)
