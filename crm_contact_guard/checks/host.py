"""System checks of the host's project: its CRM adapter, databases, URLs, template engines and task queue."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.db import connections, router
from django.template import engines

from crm_contact_guard import crm
from crm_contact_guard.checks.asking import Configs
from crm_contact_guard.conf import settings
from crm_contact_guard.directory.problems import adapter_problems
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.installation.addresses import misplaced
from crm_contact_guard.installation.templates import finds_ours
from crm_contact_guard.record.models import Message


@register("crm_contact_guard")
def check_adapter(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E003: the CRM adapter can't be loaded, or its settings name a model, field or option that does not exist."""
    try:
        problems = list(adapter_problems())
    except ConfigurationError as error:
        problems = [(str(error), "See docs/settings.md, The host CRM.")]
    return [Error(problem, hint=hint, id="crm_contact_guard.E003") for problem, hint in problems]


@register("crm_contact_guard")
def check_tenants(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """W007: the host's rows are read tenant by tenant, but the tenant of a row shown in a page is unknown, so our panel
    does not appear there."""
    try:
        adapter = crm.adapter()
    except ConfigurationError:
        return []  # reported as E003
    has_current = type(adapter).current_tenant is not crm.CRMAdapter.current_tenant
    if has_current or not crm.has_contexts(adapter) or not isinstance(adapter, crm.DeclarativeAdapter):
        return []
    unnamed = [name for name in ("CUSTOMER", "EMPLOYEE") if not getattr(settings, name).get("TENANT")]
    if not unnamed:
        return []
    return [
        Warning(
            f"The tenant of a row of {' or '.join(unnamed)} is unknown in pages until it is synced",
            hint="Implement current_tenant() in the adapter, or set TENANT; see docs/installation.md, Tenants.",
            id="crm_contact_guard.W007",
        )
    ]


@register("crm_contact_guard")
def check_tasks(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E005: ``TASKS`` is neither celery nor inline. W002: no broker is configured, so tasks would not run."""
    if settings.TASKS not in ("celery", "inline"):
        return [Error('CONTACT_GUARD["TASKS"] must be "celery" or "inline"', id="crm_contact_guard.E005")]
    if settings.TASKS == "celery":
        from celery import current_app  # noqa: PLC0415 - only if Celery is used

        if not (current_app.conf.broker_url or current_app.conf.broker_write_url):
            hint = 'Configure the host\'s Celery app, or set CONTACT_GUARD["TASKS"] = "inline".'
            return [Warning("Celery has no broker: messages are not delivered", hint=hint, id="crm_contact_guard.W002")]
    return []


@register("crm_contact_guard")
def check_database(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E019: database routers put our tables in several databases, which a transaction can't span, or in a database that
    does not exist or does not allow them."""
    misplaced = _misplaced()
    if not misplaced:
        return []
    hint = "Let db_for_write and allow_migrate name one database; see docs/installation.md, Several databases."
    return [Error(f"DATABASE_ROUTERS misplace our tables: {misplaced}", hint=hint, id="crm_contact_guard.E019")]


def _misplaced() -> str:
    places: dict[str, list[str]] = {}
    for model in apps.get_app_config("crm_contact_guard").get_models(include_auto_created=True):
        places.setdefault(router.db_for_write(model), []).append(model.__name__)
    if len(places) > 1:
        return "; ".join(f"{alias!r} gets {', '.join(names)}" for alias, names in sorted(places.items()))
    alias = next(iter(places))
    if alias not in connections:
        return f"{alias!r} is not in DATABASES"
    return "" if router.allow_migrate_model(alias, Message) else f"{alias!r} may not have them (allow_migrate)"


@register("crm_contact_guard")
def check_time_zones(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E020: ``USE_TZ`` is off, so nothing can be recorded, because naive times are ambiguous."""
    if django_settings.USE_TZ:
        return []
    hint = "USE_TZ = True; see docs/installation.md, Naive times."
    return [Error("USE_TZ is off, so nothing can be recorded", hint=hint, id="crm_contact_guard.E020")]


@register("crm_contact_guard")
def check_addresses(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E021: our URLs are included where they can't work: inside another namespace, below a URL argument, or after a
    pattern that matches them."""
    hint = (
        'In ROOT_URLCONF itself: path("guard/", include("crm_contact_guard.urls")), outside of other namespaces,'
        " without arguments, before any catch-all pattern; see docs/installation.md, Addresses."
    )
    return [Error(f"Our URL {problem}", hint=hint, id="crm_contact_guard.E021") for problem in misplaced()]


@register("crm_contact_guard")
def check_engines(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E022: no engine in ``TEMPLATES`` finds our Django templates, so pages and emails can't be rendered."""
    engine = "django.template.backends.django.DjangoTemplates"
    if any(finds_ours(each) for each in engines.all()):
        return []
    hint = f'Add {{"BACKEND": "{engine}", "APP_DIRS": True}} to TEMPLATES; other engines may stay before it.'
    return [Error("No engine in TEMPLATES finds our templates", hint=hint, id="crm_contact_guard.E022")]
