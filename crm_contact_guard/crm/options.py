"""The options of ``CUSTOMER``, ``EMPLOYEE``, ``TEAM``: which there are, do they lead anywhere, which rows count."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldError, ValidationError
from django.db.models import Manager, Model, Q, QuerySet

from crm_contact_guard.conf import settings
from crm_contact_guard.crm import paths
from crm_contact_guard.crm.roles import ROLES
from crm_contact_guard.exceptions import ConfigurationError

#: Options whose values are paths on a row of the setting's model.
PATHS: Final[Mapping[str, tuple[str, ...]]] = {
    "CUSTOMER": (
        "KEY", "NAME", "EMAIL", "PHONE", "LINE", "LINE_WORKS", "WHATSAPP", "OWNER", "TEAM", "LANGUAGE", "TIMEZONE",
        "URL", "TENANT", "MERGED_INTO",
    ),
    "EMPLOYEE": (
        "USER", "NAME", "EMAIL", "ROLE", "GROUPS", "TEAMS", "TIMEZONE", "LANGUAGE", "HOURS", "ACTIVE", "TENANT",
    ),
    "TEAM": ("NAME", "SUPERVISOR", "DEPUTY", "TENANT"),
}  # fmt: skip
#: The others.
_OTHERS: Final[Mapping[str, tuple[str, ...]]] = {
    "CUSTOMER": ("MODEL", "FILTER", "EXCLUDE"),
    "EMPLOYEE": ("MODEL", "FILTER", "EXCLUDE", "ROLES", "ROLE_GROUPS", "DEFAULT_ROLE"),
    "TEAM": ("MODEL", "FILTER", "EXCLUDE", "EVERYBODY"),
}


def narrowed(rows: Manager[Any], spec: Mapping[str, Any]) -> QuerySet[Any]:
    """Those rows for which all of ``FILTER`` and nothing of ``EXCLUDE`` holds, each once."""
    wanted, unwanted = _lookups(spec.get("FILTER")), _lookups(spec.get("EXCLUDE"))
    if not (wanted or unwanted):
        return rows.all()
    found = rows.filter(**wanted)
    for name, value in unwanted.items():
        found = found.exclude(**{name: value})
    return rows.filter(pk__in=found.values("pk"))


def of_tenant(rows: QuerySet[Any], path: Any, tenant: str) -> QuerySet[Any]:
    """Those rows that belong to the tenant or to none, as far as the database can tell. Managers of the host, which may
    know the tenant, are not asked (``host_rows.manager``)."""
    lookup = paths.key_lookup(rows.model, path) if tenant and isinstance(path, str) else ""
    if not lookup:
        return rows
    nobodys = Q(**{f"{lookup}__isnull": True})
    if paths.is_text(rows.model, path):
        nobodys |= Q(**{lookup: ""})
    try:
        return rows.filter(Q(**{lookup: tenant}) | nobodys)
    except (ValueError, TypeError, ValidationError):
        return rows  # no key of theirs: whoever enters such a tenant is told so by the first row of another one


def _lookups(given: Mapping[str, Any] | None) -> dict[str, Any]:
    return {paths.lookup(name): value for name, value in (given or {}).items()}


def problems(model: Callable[[str], type[Model]]) -> Iterator[tuple[str, str]]:
    """What is wrong with the three settings, each with its fix. ``model``: the model of a setting's ``MODEL``, or
    ConfigurationError."""
    for setting in PATHS:
        spec = getattr(settings, setting)
        where = f'CONTACT_GUARD["{setting}"]'
        if not isinstance(spec, Mapping):
            yield f"{where} must be a dict", f'{where} = {{"MODEL": "app.Model", …}}'
            continue
        yield from _names(where, spec, (*PATHS[setting], *_OTHERS[setting]))
        try:
            found: type[Model] | None = None
            if spec.get("MODEL") or setting == "CUSTOMER":
                found = model(setting)
            elif setting == "EMPLOYEE":
                found = get_user_model()
        except ConfigurationError as error:
            yield str(error), "name it as app_label.Model; contact_guard_init proposes one"
            continue
        if found is not None:
            yield from _paths(where, spec, found, PATHS[setting])
            yield from _filters(where, spec, found)
            column = spec.get("KEY") if setting == "CUSTOMER" else spec.get("USER")
            if column and not paths.is_column(found, column):
                yield f"{where}: {column!r} is no column of {found.__name__}", "name a field of the database"
    yield from _people()


def _names(where: str, spec: Mapping[str, Any], known: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for name in sorted(set(map(str, spec)) - set(known)):
        near = get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"
        yield f"{where} has an unknown option {name!r}", hint


def _paths(
    where: str, spec: Mapping[str, Any], model: type[Model], options: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    for option in options:
        given = spec.get(option)
        if given is not None and not isinstance(given, (str, list, tuple)):
            yield f'{where}["{option}"] = {given!r} is no path', "name a field, as text; several as a list"
            continue
        for path in paths.each_path(given):
            for place in paths.places(path):
                gone = paths.lost(model, place)
                if gone is not None:
                    yield _wrong_path(f'{where}["{option}"] = {path!r}', *gone)


def _wrong_path(what: str, model: type[Model], name: str) -> tuple[str, str]:
    known = [each for each in dir(model) if not each.startswith("_")]
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "name a field, property or method of the model"
    return f"{what}: {model.__name__} has no {name!r}", hint


def _filters(where: str, spec: Mapping[str, Any], model: type[Model]) -> Iterator[tuple[str, str]]:
    for option in ("FILTER", "EXCLUDE"):
        given = spec.get(option) or {}
        if not isinstance(given, Mapping):
            yield f'{where}["{option}"] must be a dict', 'look-ups as in filter(): {"is_staff": False}'
            continue
        for name, value in given.items():
            try:
                model._base_manager.filter(**{paths.lookup(name): value})
            except (FieldError, ValueError, TypeError, ValidationError) as error:
                yield f'{where}["{option}"]: {name!r}: {error}', "look-ups are those of Django's filter()"


def _people() -> Iterator[tuple[str, str]]:
    """What only EMPLOYEE and TEAM have."""
    staff, team = settings.EMPLOYEE, settings.TEAM
    if not (isinstance(staff, Mapping) and isinstance(team, Mapping)):
        return
    ours = f"ours are {', '.join(ROLES)}"
    for name in sorted(set(staff.get("ROLE_GROUPS", {})) - set(ROLES)):
        yield f'CONTACT_GUARD["EMPLOYEE"]["ROLE_GROUPS"]: {name!r} is no role', f"our role first, then groups; {ours}"
    for word, name in staff.get("ROLES", {}).items():
        if name not in (*ROLES, ""):
            yield f'CONTACT_GUARD["EMPLOYEE"]["ROLES"]: {word!r} → {name!r} is no role', f'{ours}, or "" for none'
    if staff.get("DEFAULT_ROLE", "") not in (*ROLES, ""):
        yield f'CONTACT_GUARD["EMPLOYEE"]["DEFAULT_ROLE"] = {staff["DEFAULT_ROLE"]!r} is no role', f'{ours}, or ""'
    if team.get("MODEL") and team.get("EVERYBODY"):
        yield 'CONTACT_GUARD["TEAM"] has both MODEL and EVERYBODY', "leave EVERYBODY out: it is for hosts without teams"


__all__ = ["PATHS", "narrowed", "of_tenant", "problems"]
