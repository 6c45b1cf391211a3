"""The options of ``CUSTOMER``, ``EMPLOYEE`` and ``TEAM``: their names, their validation, and the rows they select."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.exceptions import FieldError, ValidationError
from django.db.models import Manager, Model, Q, QuerySet

from crm_contact_guard.conf import settings
from crm_contact_guard.crm import paths
from crm_contact_guard.crm.roles import ROLES
from crm_contact_guard.exceptions import ConfigurationError

#: Options whose values are paths that start at a row of the setting's model. ``CUSTOMER`` also has address options
#: (see ``addresses``).
PATHS: Final[Mapping[str, tuple[str, ...]]] = {
    "CUSTOMER": ("KEY", "NAME", "OWNER", "TEAM", "LANGUAGE", "TIMEZONE", "QUIET_HOURS", "URL", "TENANT", "MERGED_INTO"),
    "EMPLOYEE": (
        "USER", "NAME", "EMAIL", "ROLE", "GROUPS", "TEAMS", "TIMEZONE", "LANGUAGE", "HOURS", "CALENDAR", "ICALENDAR",
        "ACTIVE", "TENANT",
    ),
    "TEAM": ("NAME", "SUPERVISOR", "DEPUTY", "TENANT"),
}  # fmt: skip
_NOT_PATHS: Final[Mapping[str, tuple[str, ...]]] = {
    "CUSTOMER": ("MODEL", "FILTER", "EXCLUDE"),
    "EMPLOYEE": ("MODEL", "FILTER", "EXCLUDE", "ROLES", "ROLE_GROUPS", "DEFAULT_ROLE"),
    "TEAM": ("MODEL", "FILTER", "EXCLUDE", "EVERYBODY"),
}
#: The name of an address option, which is an address kind in capital letters.
_ADDRESSES: Final = re.compile("[A-Z][A-Z0-9_]{1,15}")


def others(setting: str) -> tuple[str, ...]:
    """Return the setting's options, without the address options."""
    return *PATHS[setting], *_NOT_PATHS[setting]


def addresses() -> dict[str, str]:
    """Return the address options of ``CUSTOMER``, such as ``EMAIL``, with their address kinds, such as "email".

    Channels declare the address kinds, so any name may be valid. ``directory.problems`` reports kinds that no channel
    declares.
    """
    known = others("CUSTOMER")
    return {
        name: name.lower() for name in map(str, settings.CUSTOMER) if name not in known and _ADDRESSES.fullmatch(name)
    }


def _paths_of(setting: str) -> tuple[str, ...]:
    return *PATHS[setting], *(addresses() if setting == "CUSTOMER" else ())


def places(setting: str) -> list[str]:
    """Return all individual paths in the setting's options."""
    values = (getattr(settings, setting).get(option) for option in _paths_of(setting))
    return [place for value in values for path in paths.each_path(value) for place in paths.places(path)]


def narrowed(rows: Manager[Any], spec: Mapping[str, Any]) -> QuerySet[Any]:
    """Return the rows that match all of ``FILTER`` and none of ``EXCLUDE``, without duplicates."""
    included, excluded = _lookups(spec.get("FILTER")), _lookups(spec.get("EXCLUDE"))
    if not (included or excluded):
        return rows.all()
    matches = rows.filter(**included)
    for name, value in excluded.items():
        matches = matches.exclude(**{name: value})
    return rows.filter(pk__in=matches.values("pk"))


def of_tenant(rows: QuerySet[Any], path: Any, tenant: str) -> QuerySet[Any]:
    """Return the tenant's rows and the rows without a tenant, or all rows if the database can't filter by ``path``.

    The host's own managers, which may filter by tenant, are not used (``host_rows.manager``).
    """
    lookup = paths.key_lookup(rows.model, path) if tenant and isinstance(path, str) else ""
    if not lookup:
        return rows
    without_tenant = Q(**{f"{lookup}__isnull": True})
    if paths.is_text(rows.model, path):
        without_tenant |= Q(**{lookup: ""})
    try:
        return rows.filter(Q(**{lookup: tenant}) | without_tenant)
    except (ValueError, TypeError, ValidationError):
        return rows  # not a valid key; the sync reports the first row of another tenant


def _lookups(conditions: Mapping[str, Any] | None) -> dict[str, Any]:
    return {paths.lookup(name): value for name, value in (conditions or {}).items()}


def model_named(setting: str) -> type[Model]:
    """Return the model that a setting's ``MODEL`` names. Raise ConfigurationError if there is none."""
    label = getattr(settings, setting).get("MODEL")
    if not label:
        raise ConfigurationError(f'CONTACT_GUARD["{setting}"]["MODEL"] is not set')
    try:
        return apps.get_model(label)
    except (LookupError, ValueError) as error:
        raise ConfigurationError(f'CONTACT_GUARD["{setting}"]["MODEL"]: {error}') from error


def problems() -> Iterator[tuple[str, str]]:
    """Yield the problems found in the three settings, each with its fix."""
    for setting in PATHS:
        spec = getattr(settings, setting)
        where = f'CONTACT_GUARD["{setting}"]'
        if not isinstance(spec, Mapping):
            yield f"{where} must be a dict", f'{where} = {{"MODEL": "app.Model", …}}'
            continue
        known = (*_paths_of(setting), *_NOT_PATHS[setting])
        yield from (unknown(setting, name, known) for name in sorted(set(map(str, spec)) - set(known)))
        try:
            found: type[Model] | None = None
            if spec.get("MODEL") or setting == "CUSTOMER":
                found = model_named(setting)
            elif setting == "EMPLOYEE":
                found = get_user_model()
        except ConfigurationError as error:
            yield str(error), "name it as app_label.Model; contact_guard_init proposes one"
            continue
        if found is not None:
            yield from _paths(where, spec, found, _paths_of(setting))
            yield from _filters(where, spec, found)
            column = spec.get("KEY") if setting == "CUSTOMER" else spec.get("USER")
            if column and not paths.is_column(found, column):
                yield f"{where}: {column!r} is not a column of {found.__name__}", "name a database field"
    yield from _people()


def unknown(setting: str, name: str, known: tuple[str, ...]) -> tuple[str, str]:
    """Return the problem of an unknown option. The fix names the closest known option, or all of them."""
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"
    return f'CONTACT_GUARD["{setting}"] has an unknown option {name!r}', hint


def _paths(
    where: str, spec: Mapping[str, Any], model: type[Model], options: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    for option in options:
        value = spec.get(option)
        if value is not None and not isinstance(value, (str, list, tuple)):
            yield f'{where}["{option}"] = {value!r} is not a path', "a field name as a string, or a list of them"
            continue
        for path in paths.each_path(value):
            for place in paths.places(path):
                missing = paths.lost(model, place)
                if missing is not None:
                    yield _wrong_path(f'{where}["{option}"] = {path!r}', *missing)


def _wrong_path(what: str, model: type[Model], name: str) -> tuple[str, str]:
    names = [attribute for attribute in dir(model) if not attribute.startswith("_")]
    near = get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "name a field, property or method of the model"
    return f"{what}: {model.__name__} has no {name!r}", hint


def _filters(where: str, spec: Mapping[str, Any], model: type[Model]) -> Iterator[tuple[str, str]]:
    for option in ("FILTER", "EXCLUDE"):
        conditions = spec.get(option) or {}
        if not isinstance(conditions, Mapping):
            yield f'{where}["{option}"] must be a dict', 'lookups as in filter(): {"is_staff": False}'
            continue
        for name, value in conditions.items():
            try:
                model._base_manager.filter(**{paths.lookup(name): value})
            except (FieldError, ValueError, TypeError, ValidationError) as error:
                yield f'{where}["{option}"]: {name!r}: {error}', "lookups are those of Django's filter()"


def _people() -> Iterator[tuple[str, str]]:
    """Yield problems with options that only ``EMPLOYEE`` or ``TEAM`` has."""
    staff, team = settings.EMPLOYEE, settings.TEAM
    if not (isinstance(staff, Mapping) and isinstance(team, Mapping)):
        return
    roles = f"roles are {', '.join(ROLES)}"
    for name in sorted(set(staff.get("ROLE_GROUPS", {})) - set(ROLES)):
        yield f'CONTACT_GUARD["EMPLOYEE"]["ROLE_GROUPS"]: {name!r} is not a role', f"map roles to groups; {roles}"
    for word, name in staff.get("ROLES", {}).items():
        if name not in (*ROLES, ""):
            yield f'CONTACT_GUARD["EMPLOYEE"]["ROLES"]: {word!r} → {name!r} is not a role', f'{roles}, or "" for none'
    if staff.get("DEFAULT_ROLE", "") not in (*ROLES, ""):
        yield f'CONTACT_GUARD["EMPLOYEE"]["DEFAULT_ROLE"] = {staff["DEFAULT_ROLE"]!r} is not a role', f'{roles}, or ""'
    if team.get("MODEL") and team.get("EVERYBODY"):
        yield 'CONTACT_GUARD["TEAM"] has both MODEL and EVERYBODY', "remove EVERYBODY, which is for hosts without teams"


__all__ = ["PATHS", "addresses", "model_named", "narrowed", "of_tenant", "others", "places", "problems", "unknown"]
