"""Whether an engine of the host finds our templates, without compiling any."""

from __future__ import annotations

from typing import Any

from django.template import TemplateDoesNotExist
from django.template.backends.django import DjangoTemplates

#: One that is ours alone: a host replaces others with its own.
_OURS = "crm_contact_guard/mail/alert.txt"


def finds_ours(engine: Any) -> bool:
    """Whether it is an engine of Django's kind, one of whose loaders has our templates."""
    if not isinstance(engine, DjangoTemplates):
        return False
    for loader in engine.engine.template_loaders:
        for origin in loader.get_template_sources(_OURS):
            try:
                origin.loader.get_contents(origin)  # type: ignore[union-attr]
            except TemplateDoesNotExist:
                continue
            return True
    return False
