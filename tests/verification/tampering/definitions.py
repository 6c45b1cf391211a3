"""What the tables of manipulated definitions share."""

from __future__ import annotations

T = "crm_contact_guard_"
REFUSES = "is not one of ours and can refuse rows"


def alter(table: str, change: str) -> list[str]:
    return [f"ALTER TABLE {T}{table} {change}"]
