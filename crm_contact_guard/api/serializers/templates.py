"""Serializers for approved text blocks."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from crm_contact_guard.policy.templates import Template


class TemplateTextSerializer(serializers.Serializer[Any]):
    """An approved text block in one language."""

    language = serializers.CharField()
    text = serializers.CharField()
    variables = serializers.ListField(child=serializers.CharField(), help_text="What has to be filled in.")


class TemplateSerializer(serializers.Serializer[Any]):
    """An approved text block."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field, taken off the class by its metaclass
    texts = TemplateTextSerializer(many=True)
    carriers = serializers.ListField(
        child=serializers.CharField(), help_text="Aliases of channels whose carrier has approved it."
    )

    def to_representation(self, instance: Template) -> dict[str, Any]:
        return {
            "name": instance.name,
            "label": instance.label,
            "texts": [
                {"language": language, "text": text, "variables": list(instance.variables(language))}
                for language, text in instance.texts.items()
            ],
            "carriers": sorted(instance.carriers),
        }
