"""Parts of a proposed setting: an option that may be missing, the tenant, and paths through a relation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Model

from crm_contact_guard.installation.proposing import host_fields as fields


def through(relation: str) -> Any:
    """Return a function that prefixes a path with a relation. In text with braces, it prefixes each path in braces."""

    def path(inner: Any) -> Any:
        if not relation or not inner:
            return ""
        if isinstance(inner, str) and "{" in inner:
            return inner.replace("{", f"{{{relation}.")
        return f"{relation}.{inner}"

    return path


def tenant_option(model: type[Model], tenant: type[Model] | None) -> dict[str, str]:
    """Return ``TENANT`` if the model has a relation to the tenant model."""
    return dict(some("TENANT", fields.link(model, tenant, (), only_named=False) if tenant is not None else ""))


def some(option: str, value: Any) -> Mapping[str, Any]:
    """Return the option, or nothing if it has no value."""
    return {option: value} if value else {}
