"""The base class of serializers for input."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError


class Input(serializers.Serializer[Any]):
    """Reject unknown fields, including those in nested objects, since the caller would assume they have an effect."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = [name for name in data if name not in self.fields] if isinstance(data, Mapping) else []
        if unknown:
            raise ValidationError({str(name)[:100]: [self._hint(str(name))] for name in unknown[:10]})
        return super().to_internal_value(data)

    def _hint(self, name: str) -> str:
        near = get_close_matches(name[:100], self.fields, n=1)
        if near:
            return _("There is no such field. Did you mean %(near)s?") % {"near": near[0]}
        if not self.fields:
            return _("There is no such field.")
        return _("There is no such field. Known: %(known)s.") % {"known": ", ".join(sorted(self.fields))}


class NothingSerializer(Input):
    """An empty body, for operations that are determined by the URL alone."""
