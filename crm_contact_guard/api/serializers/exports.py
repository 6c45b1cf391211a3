"""Serializers for exports."""

from __future__ import annotations

import json
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm_contact_guard.api.codes import CodeField
from crm_contact_guard.api.serializers.inputs import Input
from crm_contact_guard.api.serializers.people import PersonSerializer
from crm_contact_guard.api.wire import Moment
from crm_contact_guard.exports.formats import FORMATS
from crm_contact_guard.exports.jobs.models import ExportJob
from crm_contact_guard.exports.jobs.requesting import MAX_PURPOSE
from crm_contact_guard.exports.profiles import Profile
from crm_contact_guard.record.models import Direction, MessageKind


class ExportFiltersSerializer(Input):
    """Which rows an export contains. All given filters must match."""

    customer = serializers.UUIDField(required=False)
    employee = serializers.UUIDField(required=False)
    conversation = serializers.UUIDField(required=False)
    case = serializers.UUIDField(required=False)
    channel = serializers.CharField(required=False, max_length=64)
    direction = CodeField(Direction, required=False)
    kind = CodeField(MessageKind, required=False)
    occurred_from = Moment(required=False)
    occurred_before = Moment(required=False)


class OpenExportSerializer(Input):
    """An export to start."""

    purpose = serializers.CharField(max_length=MAX_PURPOSE)
    filters = ExportFiltersSerializer(required=False)
    formats = serializers.ListField(
        child=serializers.ChoiceField(choices=list(FORMATS)), required=False, help_text="Beside JSON Lines."
    )
    profile = CodeField(Profile, "ExportProfile", required=False)
    attachments = serializers.BooleanField(required=False, default=True)


class ExportSerializer(serializers.Serializer[Any]):
    """An export: who asked for it and why, how far it is, and what it became."""

    id = serializers.UUIDField()
    state = CodeField(ExportJob.State, "ExportState")
    requested_by = PersonSerializer()
    requested_at = Moment()
    purpose = serializers.CharField()
    filters = serializers.SerializerMethodField()
    formats = serializers.SerializerMethodField()
    profile = CodeField(Profile, "ExportProfile")
    attachments = serializers.BooleanField()
    decided_by = PersonSerializer(allow_null=True)
    decided_at = Moment(allow_null=True)
    rows_done = serializers.IntegerField(source="done")
    rows_total = serializers.IntegerField(source="total", help_text="0 until the rows are counted.")
    messages = serializers.IntegerField(allow_null=True)
    events = serializers.IntegerField(allow_null=True)
    bytes = serializers.IntegerField(allow_null=True)
    sha256 = serializers.CharField(help_text="Of the bundle; also its entity tag. Empty until it is ready.")
    finished_at = Moment(allow_null=True)
    expires_at = Moment(allow_null=True)
    remark = serializers.CharField(help_text="Why it failed, or what could not be included.")

    @extend_schema_field({"type": "object", "additionalProperties": {"type": "string"}})
    def get_filters(self, job: ExportJob) -> dict[str, str]:
        return json.loads(job.filters)  # type: ignore[no-any-return]

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_formats(self, job: ExportJob) -> list[str]:
        return job.formats.split(",") if job.formats else []


class RefuseExportSerializer(Input):
    """Why an export is refused. The person who asked for it reads it."""

    reason = serializers.CharField(max_length=MAX_PURPOSE)
