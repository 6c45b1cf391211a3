"""Figures follow from the record by being counted again; ``contact_guard_figures check`` compares them."""

from __future__ import annotations

from crm_contact_guard.figures.models import Figure, FigureMark
from crm_contact_guard.record.following import Follows, Unproven, follows

WHY = "counted from the record; `contact_guard_figures check` compares it"

for model in (Figure, FigureMark):
    follows(
        Follows(
            model=model,
            columns={field.attname: Unproven(WHY) for field in model._meta.concrete_fields},
            deleted=WHY,
            added=WHY,
        )
    )
