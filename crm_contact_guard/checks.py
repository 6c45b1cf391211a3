"""System checks: a numbered message with a hint for each configuration mistake."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from importlib.util import find_spec
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.template import engines

from crm_contact_guard import crm
from crm_contact_guard.channels import registry
from crm_contact_guard.conf import DEFAULTS, settings
from crm_contact_guard.detection import semantic_available
from crm_contact_guard.directory.problems import adapter_problems
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.files import reencoding
from crm_contact_guard.hosting import collations
from crm_contact_guard.installation.addresses import misplaced
from crm_contact_guard.installation.templates import finds_ours
from crm_contact_guard.notices import targets
from crm_contact_guard.policy import (
    company,
    icalendar_options,
    presets,
    protection,
    quiet_hours,
    templates,
    thresholds,
)
from crm_contact_guard.policy.closing import options as auto_answer
from crm_contact_guard.policy.closing import urgent
from crm_contact_guard.reading import options
from crm_contact_guard.record.models import Message
from crm_contact_guard.sealing import keys, witnessing
from crm_contact_guard.sending import deadlines, planning
from crm_contact_guard.supervision.cases import outcomes, rules
from crm_contact_guard.supervision.handling import deadlines as handling
from crm_contact_guard.supervision.own_view import seeing
from crm_contact_guard.verification import tables

Configs = Sequence[AppConfig] | None


@register("crm_contact_guard")
def check_names(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E001: ``CONTACT_GUARD`` has an unknown name. The hint names the closest known one.
    E002: ``CONTACT_GUARD`` is not a dict."""
    values = getattr(django_settings, "CONTACT_GUARD", {})
    if not isinstance(values, dict):
        return [Error("CONTACT_GUARD must be a dict", id="crm_contact_guard.E002")]
    messages: list[CheckMessage] = []
    for name in sorted(set(values) - set(DEFAULTS)):
        near = get_close_matches(name, DEFAULTS, n=1, cutoff=0.5)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known names: {', '.join(sorted(DEFAULTS))}"
        messages.append(Error(f"CONTACT_GUARD has an unknown name {name!r}", hint=hint, id="crm_contact_guard.E001"))
    return messages


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
def check_channels(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E004: a channel's backend can't be loaded. E016: two channels declare address kinds with the same name.
    W001: no channel is configured. Also runs each channel's checks."""
    if not registry.aliases():
        hint = 'Add one to CONTACT_GUARD["CHANNELS"], for example the web chat, which needs no carrier.'
        return [Warning("No channel is configured", hint=hint, id="crm_contact_guard.W001")]
    messages: list[CheckMessage] = []
    for alias in registry.aliases():
        try:
            channel = registry.channel(alias)
        except ConfigurationError as error:
            messages.append(Error(str(error), hint="See docs/channels.md.", id="crm_contact_guard.E004"))
            continue
        messages.extend(channel.check())
        if registry.address_kind(channel.address_kind) is not channel.address_kind:
            words = f"Channel {alias!r} declares the address kind {channel.address_kind!r} of another channel"
            hint = "Use its AddressKind, or another name."
            messages.append(Error(words, hint=hint, id="crm_contact_guard.E016"))
    return messages


@register("crm_contact_guard")
def check_policy(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E010: a setting of the rules, thresholds, undo, holds, alerts or cases has a value that can't be used."""
    holds = planning.seconds_by_kind, deadlines.hold_hours, deadlines.hold_ends
    checks = presets.rules, thresholds.check, *holds, handling.check, outcomes.check, rules.check
    problems = dict.fromkeys(filter(None, map(_problem, checks)))
    return [Error(text, hint="See docs/settings.md, The company.", id="crm_contact_guard.E010") for text in problems]


@register("crm_contact_guard")
def check_quiet_hours(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E050: ``QUIET_HOURS`` has an invalid entry."""
    problem = _problem(quiet_hours.check)
    hint = "See docs/working_time.md, Quiet hours of customers."
    return [Error(problem, hint=hint, id="crm_contact_guard.E050")] if problem else []


@register("crm_contact_guard")
def check_icalendar(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E051: ``ICALENDAR`` has an invalid entry."""
    problem = _problem(icalendar_options.check)
    hint = "See docs/working_time.md, Rosters in iCalendar files."
    return [Error(problem, hint=hint, id="crm_contact_guard.E051")] if problem else []


def _problem(check: Callable[[], object]) -> str:
    try:
        check()
    except ConfigurationError as error:
        return str(error)
    return ""


@register("crm_contact_guard")
def check_company_rules(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E014: the file named in ``COMPANY_RULES`` can't be used."""
    problem = _problem(company.own_rules)
    hint = "See docs/detection.md, A company's own words and rules."
    return [Error(problem, hint=hint, id="crm_contact_guard.E014")] if problem else []


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


@register("crm_contact_guard")
def check_templates(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E011: a text block in ``TEMPLATES`` can't be used."""
    hint = "See docs/channels.md, Text blocks."
    return [Error(words, hint=hint, id="crm_contact_guard.E011") for words in templates.problems(settings.TEMPLATES)]


@register("crm_contact_guard")
def check_reader(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E015: ``READER`` has an unknown key or a value that can't be used."""
    if not settings.READER:
        return []
    hint = "See docs/reader.md, Settings."
    return [Error(words, hint=hint, id="crm_contact_guard.E015") for words in options.problems(settings.READER)]


@register("crm_contact_guard")
def check_notify(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E070: ``NOTIFY`` has an unknown key or a value that can't be used."""
    return [Error(words, hint="See docs/notices.md.", id="crm_contact_guard.E070") for words in targets.problems()]


@register("crm_contact_guard", deploy=True)
def check_waiting(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """W008: with ``TASKS`` inline, requests wait for the second reader. Only with ``check --deploy``."""
    if not settings.READER or settings.TASKS != "inline":
        return []
    hint = 'Run Celery workers, and set CONTACT_GUARD["TASKS"] = "celery".'
    return [Warning("Requests wait for the second reader's answer", hint=hint, id="crm_contact_guard.W008")]


@register("crm_contact_guard", deploy=True)
def check_reading(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """W006: files are delivered but not inspected, because an extra is not installed. Only with ``check --deploy``."""
    missing = [extra for extra, library in (("images", "zxingcpp"), ("pdf", "pypdf")) if find_spec(library) is None]
    if not missing:
        return []
    hint = f"pip install 'crm-contact-guard[{','.join(missing)}]'"
    return [Warning("Contacts in pictures or PDF files are not detected", hint=hint, id="crm_contact_guard.W006")]


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
def check_signing_key(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E007: there is no signing key, or it is the public demo key (W005 with DEBUG). E008: the key is invalid."""
    hint = "Create a key with `manage.py contact_guard_keygen FILE`; see docs/record.md, Keys."
    try:
        key = keys.signing_key()
        keys.verification_keys()
    except ConfigurationError as error:
        return [Error(str(error), hint=hint, id="crm_contact_guard.E008")]
    if key is not None and not keys.is_demo(key):
        return []
    problem = (
        "has no signing key: nothing is sealed" if key is None else "is signed by the demo key, which proves nothing"
    )
    if django_settings.DEBUG:
        return [Warning(f"The record {problem}", hint=hint, id="crm_contact_guard.W005")]
    return [Error(f"The record {problem}", hint=hint, id="crm_contact_guard.E007")]


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


@register("crm_contact_guard")
def check_auto_answer(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E030: ``AUTO_ANSWER`` has an unknown key, channel or value."""
    hint = "See docs/settings.md, After hours."
    return [Error(problem, hint=hint, id="crm_contact_guard.E030") for problem in auto_answer.problems()]


@register("crm_contact_guard")
def check_urgent(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E031: ``URGENT`` has an unknown key or a wrong value."""
    hint = "See docs/settings.md, After hours."
    return [Error(problem, hint=hint, id="crm_contact_guard.E031") for problem in urgent.problems()]


@register("crm_contact_guard")
def check_protection(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E060: ``PROTECTION`` has an unknown key or a wrong value."""
    hint = "See docs/settings.md, Protection of employees."
    return [Error(problem, hint=hint, id="crm_contact_guard.E060") for problem in protection.problems()]


@register("crm_contact_guard")
def check_own_flags(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E061: ``OWN_FLAGS`` is none of its values."""
    problem = f"OWN_FLAGS = {settings.OWN_FLAGS!r} is none of {', '.join(seeing.CHOICES)}"
    return [] if settings.OWN_FLAGS in seeing.CHOICES else [Error(problem, id="crm_contact_guard.E061")]


@register("crm_contact_guard")
def check_witnesses(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E009: a witness can't be loaded. W004: there is no witness, so a rolled-back database would not be detected."""
    try:
        if witnessing.configured():
            return []
    except ConfigurationError as error:
        return [Error(str(error), hint="See docs/record.md, Witnesses.", id="crm_contact_guard.E009")]
    hint = 'Add one to CONTACT_GUARD["WITNESSES"], for example an e-mail to your auditor.'
    return [Warning("No witness stores checkpoints of the record", hint=hint, id="crm_contact_guard.W004")]


def _waits_for_migrations(connection: BaseDatabaseWrapper) -> bool:
    executor = MigrationExecutor(connection)
    ours = [key for key in executor.loader.graph.leaf_nodes() if key[0] == Message._meta.app_label]
    return bool(executor.migration_plan(ours))


@register(Tags.database)
def check_triggers(app_configs: Configs, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """E006: the database differs from what our migrations set up, in one of these ways (``check --database default``):

    * A trigger that protects recorded rows is missing or changed.
    * Our tables differ from those that the migrations created. For example, there is a trigger, rule, constraint or
      column that isn't ours, or a view has replaced a table.
    * Something replaces built-in functions.

    Missing triggers don't block ``migrate``, which restores them.
    """
    messages: list[CheckMessage] = []
    for alias in databases or ():
        if not router.allow_migrate_model(alias, Message):
            continue
        connection = connections[alias]
        if Message._meta.db_table not in connection.introspection.table_names():
            continue
        # Tables from an older version differ until they are migrated. `migrate` also restores the triggers, so its own
        # check must not stop it.
        if sys.argv[1:2] == ["migrate"] or _waits_for_migrations(connection):
            continue
        altered, faults = tables.altered(alias)
        if altered:
            messages.append(
                Error(
                    f"Recorded rows on database {alias!r} can be altered: triggers missing, disabled or replaced:"
                    f" {', '.join(sorted(altered))}",
                    hint="Run `manage.py migrate`, which restores the triggers, and find out who removed them.",
                    id="crm_contact_guard.E006",
                )
            )
        messages += [
            Error(
                f"On database {alias!r}, {name} {why}",
                hint="Find out who did it and undo it, then run contact_guard_verify.",
                id="crm_contact_guard.E006",
            )
            for name, why in faults
        ]
    return messages


@register(Tags.database)
def check_texts(app_configs: Configs, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """E026: MariaDB or MySQL would silently change recorded text, because sessions don't use strict mode or connections
    use the old ``utf8`` (``check --database default``)."""
    places = [alias for alias in databases or () if router.allow_migrate_model(alias, Message)]
    hint = (
        'In DATABASES, set OPTIONS to {"charset": "utf8mb4", "init_command": "SET sql_mode=\'STRICT_TRANS_TABLES\'"}.'
    )
    return [
        Error(f"Database {alias!r} would change texts: {lost}", hint=hint, id="crm_contact_guard.E026")
        for alias in places
        if (lost := collations.losses(connections[alias]))
    ]
