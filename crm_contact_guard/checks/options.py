"""System checks of the keys of ``CONTACT_GUARD``."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Warning, register

from crm_contact_guard.channels import registry
from crm_contact_guard.checks.asking import Configs, problem_of
from crm_contact_guard.conf import DEFAULTS, settings
from crm_contact_guard.exceptions import ConfigurationError
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
from crm_contact_guard.sending import deadlines, planning
from crm_contact_guard.supervision.cases import outcomes, rules
from crm_contact_guard.supervision.handling import deadlines as handling
from crm_contact_guard.supervision.own_view import seeing


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
    problems = dict.fromkeys(filter(None, map(problem_of, checks)))
    return [Error(text, hint="See docs/settings.md, The company.", id="crm_contact_guard.E010") for text in problems]


@register("crm_contact_guard")
def check_quiet_hours(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E050: ``QUIET_HOURS`` has an invalid entry."""
    problem = problem_of(quiet_hours.check)
    hint = "See docs/working_time.md, Quiet hours of customers."
    return [Error(problem, hint=hint, id="crm_contact_guard.E050")] if problem else []


@register("crm_contact_guard")
def check_icalendar(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E051: ``ICALENDAR`` has an invalid entry."""
    problem = problem_of(icalendar_options.check)
    hint = "See docs/working_time.md, Rosters in iCalendar files."
    return [Error(problem, hint=hint, id="crm_contact_guard.E051")] if problem else []


@register("crm_contact_guard")
def check_company_rules(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E014: the file named in ``COMPANY_RULES`` can't be used."""
    problem = problem_of(company.own_rules)
    hint = "See docs/detection.md, A company's own words and rules."
    return [Error(problem, hint=hint, id="crm_contact_guard.E014")] if problem else []


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
