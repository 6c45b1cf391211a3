"""Serializers for figures."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm_contact_guard.api.serializers.people import CustomerSerializer, PersonSerializer, TeamSerializer
from crm_contact_guard.figures.counting import MEASURES
from crm_contact_guard.figures.showing import AGES, Figures


class TeamCountSerializer(serializers.Serializer[Any]):
    """Alerts opened in a team; ``team`` is null for conversations without one."""

    team = TeamSerializer(allow_null=True)
    alerts = serializers.IntegerField()


class LoadSerializer(serializers.Serializer[Any]):
    """A reviewer's work."""

    reviewer = PersonSerializer()
    waiting = serializers.IntegerField(help_text="Alerts that wait for this person now.")
    closed = serializers.IntegerField(help_text="Alerts closed in the period.")


class PresserSerializer(serializers.Serializer[Any]):
    """A customer who asked more than once in the period."""

    customer = CustomerSerializer()
    times = serializers.IntegerField()
    declined = serializers.IntegerField(help_text="How often the employee declined.")
    newest_alert = serializers.UUIDField(source="newest")


class FiguresSerializer(serializers.Serializer[Any]):
    """The figures of a period, in days of the company's time zone."""

    since = serializers.DateField(source="first")
    until = serializers.DateField(source="last")
    counts = serializers.SerializerMethodField(
        help_text="By measure and part. " + "; ".join(f"`{name}`: {says}" for name, says in MEASURES.items()) + "."
    )
    teams = serializers.SerializerMethodField()
    after_hours = serializers.ListField(
        source="late",
        child=serializers.ListField(child=serializers.IntegerField()),
        help_text="7 rows, Monday first, of 24 hours.",
    )
    ageing = serializers.SerializerMethodField(
        help_text=f"Waiting alerts by age in days, from {', '.join(map(str, AGES))} on."
    )
    loads = LoadSerializer(many=True, allow_null=True)
    pressing = PresserSerializer(source="pressers", many=True)
    signed = serializers.IntegerField(help_text="People who have signed the rules that apply now.")
    signers = serializers.IntegerField(help_text="People who have to sign them.")

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_counts(self, found: Figures) -> dict[str, dict[str, int]]:
        return {name: dict(found.counts.get(name, {})) for name in MEASURES}

    @extend_schema_field(TeamCountSerializer(many=True))
    def get_teams(self, found: Figures) -> list[dict[str, Any]]:
        rows: Any = TeamCountSerializer([{"team": team, "alerts": number} for team, number in found.by_team], many=True)
        return list(rows.data)

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_ageing(self, found: Figures) -> dict[str, int]:
        return {str(least): number for least, number in zip(AGES, found.ageing, strict=True)}
