"""Check whether a template engine of the host finds our templates, without compiling a template."""

from __future__ import annotations

from typing import Any

from django.template import TemplateDoesNotExist
from django.template.backends.django import DjangoTemplates

#: A template that hosts have no reason to override.
_OURS = "crm_contact_guard/mail/notice.txt"


def finds_ours(engine: Any) -> bool:
    """Whether ``engine`` is a DjangoTemplates engine with a loader that finds our templates."""
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
