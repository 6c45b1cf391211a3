"""Serializers for working time."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from crm_contact_guard.api.codes import CodeField
from crm_contact_guard.api.serializers.people import PersonSerializer
from crm_contact_guard.api.wire import Moment
from crm_contact_guard.policy.working_time.calendar import DayRule, State


class IntervalSerializer(serializers.Serializer[Any]):
    """A period. ``end`` is not part of it."""

    start = Moment()
    end = Moment()


class DaySerializer(serializers.Serializer[Any]):
    """A local day: the rule that determines it, and when the employee works or is on call."""

    day = serializers.DateField()
    rule = CodeField(DayRule)
    work = IntervalSerializer(many=True)
    on_call = IntervalSerializer(many=True)


class HoursSerializer(serializers.Serializer[Any]):
    """An employee's working time now. If it can't be calculated, ``problem`` says why, and the rest is null."""

    employee = PersonSerializer()
    zone = serializers.CharField(help_text="IANA name of the time zone.")
    at = Moment()
    state = CodeField(State, "WorkState", allow_null=True)
    after_hours = serializers.BooleanField(allow_null=True, help_text="Whether a message sent now is after hours.")
    next_open_at = Moment(allow_null=True, help_text="Null while the employee is working or on call, and if unknown.")
    today = DaySerializer(allow_null=True)
    problem = serializers.CharField()
