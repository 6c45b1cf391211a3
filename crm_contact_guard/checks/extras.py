"""System checks of optional packages: whether those that the settings or the channels need are installed."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from django.core.checks import CheckMessage, Error, Warning, register

from crm_contact_guard.checks.asking import Configs
from crm_contact_guard.conf import settings
from crm_contact_guard.detection import semantic_available
from crm_contact_guard.files import reencoding


@register("crm_contact_guard")
def check_semantic(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E012: ``SEMANTIC`` is on, but its extra is not installed."""
    if not settings.SEMANTIC or semantic_available():
        return []
    hint = "pip install 'crm-contact-guard[semantic]'"
    return [Error('CONTACT_GUARD["SEMANTIC"] needs the extra semantic', hint=hint, id="crm_contact_guard.E012")]


@register("crm_contact_guard")
def check_reencoding(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E013: ``REENCODE_IMAGES`` is on, but its extra is not installed."""
    if not settings.REENCODE_IMAGES or reencoding.is_available():
        return []
    hint = "pip install 'crm-contact-guard[images]'"
    return [Error('CONTACT_GUARD["REENCODE_IMAGES"] needs the extra images', hint=hint, id="crm_contact_guard.E013")]


@register("crm_contact_guard", deploy=True)
def check_reading(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """W006: files are delivered but not inspected, because an extra is not installed. Only with ``check --deploy``."""
    missing = [extra for extra, library in (("images", "zxingcpp"), ("pdf", "pypdf")) if find_spec(library) is None]
    if not missing:
        return []
    hint = f"pip install 'crm-contact-guard[{','.join(missing)}]'"
    return [Warning("Contacts in pictures or PDF files are not detected", hint=hint, id="crm_contact_guard.W006")]
