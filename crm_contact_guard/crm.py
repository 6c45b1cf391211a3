"""The only door to the host CRM: what we ask of it (``CRMAdapter``), and an adapter that needs settings only.

A host's rows are known here by opaque text keys. Nothing outside this module touches a host model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, islice
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.exceptions import FieldError, ObjectDoesNotExist, ValidationError
from django.core.signals import setting_changed
from django.db.models import Manager, Model, QuerySet, TextField
from django.db.models.functions import Cast, Lower
from django.db.models.lookups import Contains, Exact
from django.utils.module_loading import import_string

from crm_contact_guard import host_rows
from crm_contact_guard.conf import settings
from crm_contact_guard.exceptions import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class AddressRecord:
    """One address of a customer: ``kind`` as in ``AddressKind`` ("email", "phone", "line", "whatsapp")."""

    kind: str
    value: str


@dataclass(frozen=True, kw_only=True)
class CustomerRecord:
    """A customer as the host knows it. ``owner_key`` is the host user who looks after them, as text."""

    key: str
    name: str
    addresses: tuple[AddressRecord, ...] = ()
    owner_key: str = ""
    team_key: str = ""
    language: str = ""
    timezone: str = ""
    url: str = ""
    tenant: str = ""


@dataclass(frozen=True, kw_only=True)
class EmployeeRecord:
    """A host user. ``role`` is employee, supervisor, compliance or auditor; "" means: not one of ours."""

    key: str
    name: str
    email: str = ""
    role: str = "employee"
    team_keys: tuple[str, ...] = ()
    timezone: str = ""
    language: str = ""
    working_hours: Mapping[str, str] | None = None
    active: bool = True
    tenant: str = ""


@dataclass(frozen=True, kw_only=True)
class TeamRecord:
    """A team with the user keys of its supervisor and deputy."""

    key: str
    name: str
    supervisor_key: str = ""
    deputy_key: str = ""
    tenant: str = ""


class CRMAdapter:
    """What we ask of a host. Subclass it, or use ``DeclarativeAdapter`` and settings.

    Every method may be overridden; keys are text and opaque to us.
    """

    def tenant(self, key: str) -> AbstractContextManager[None]:
        """Enter the host's context of a tenant (row security, time zone), and leave it as it was. Tasks run inside it.

        Never called with "": what strangers write is in no tenant until somebody says who they are."""
        return nullcontext()

    def tenants(self) -> Iterable[str]:
        """Keys of all tenants whose context the directory sync has to enter, one after the other. A host whose rows can
        be read without a context needs none: its records name their tenant themselves."""
        return ("",)

    def current_tenant(self) -> str:
        """The tenant whose context this request or process is in, as the host's middleware set it; empty: in none.

        Asked where a row is seen first by somebody's request and names no tenant itself, and which of a person's
        tenants a request is about."""
        return ""

    def customer_key(self, customer: object) -> str:
        """The key of a host's customer object."""
        raise NotImplementedError("CRMAdapter.customer_key")

    def customer(self, key: str) -> CustomerRecord | None:
        """The customer with this key, or None when the host has none."""
        raise NotImplementedError("CRMAdapter.customer")

    def customers(self) -> Iterator[CustomerRecord]:
        """All customers, for the directory sync. Must stream."""
        raise NotImplementedError("CRMAdapter.customers")

    def search(self, words: str, limit: int = 20) -> Iterable[CustomerRecord]:
        """Customers whose name holds ``words``, for linking somebody who wrote in. Default: looks through all."""
        found = (record for record in self.customers() if words.lower() in record.name.lower())
        return list(islice(found, limit))

    def merged_into(self, key: str) -> str:
        """The key of the customer that the host merged this one into; empty: it is simply gone."""
        return ""

    def employee(self, user: Any) -> EmployeeRecord | None:
        """The employee behind a host's user, or None when the person has no part in our pages."""
        raise NotImplementedError("CRMAdapter.employee")

    def employees(self) -> Iterator[EmployeeRecord]:
        """All employees, for the directory sync."""
        raise NotImplementedError("CRMAdapter.employees")

    def user(self, key: str) -> Any:
        """The host's user object with this key, or None."""
        raise NotImplementedError("CRMAdapter.user")

    def teams(self) -> Iterable[TeamRecord]:
        """All teams."""
        return ()

    def company_contacts(self) -> Mapping[str, Sequence[str]]:
        """Contacts that belong to the company, beside ``COMPANY_CONTACTS``: phones, emails, domains, handles, urls."""
        return {}


class DeclarativeAdapter(CRMAdapter):
    """An adapter made of the settings ``CUSTOMER``, ``EMPLOYEE`` and ``TEAM``.

    A value is a path: attribute or field names joined by ``.``; a callable is called; a related manager is walked;
    a list of paths gives the values of all; text holding commas or semicolons gives several addresses.

    A host without a table of customers (a helpdesk knows e-mail addresses of tickets) names in ``CUSTOMER["KEY"]`` the
    field that says who it is: rows with the same value there are one customer, told by the newest of them.
    """

    # --- customers
    def customer_model(self) -> type[Model]:
        """The host's customer model. Raises ConfigurationError when the setting leads nowhere."""
        return self._model("CUSTOMER")

    def customer_key(self, customer: object) -> str:
        path = settings.CUSTOMER.get("KEY")
        if path and isinstance(customer, Model):
            return _shared_key(customer, path)
        return str(getattr(customer, "pk", customer))

    def customer(self, key: str) -> CustomerRecord | None:
        manager, path = host_rows.manager(self.customer_model()), settings.CUSTOMER.get("KEY")
        if not path:
            row = _get(manager, key)
            return None if row is None else self._customer_record([row])
        try:
            same = Exact(Lower(_lookup(path)), key.lower())  # iexact minds the case where the collation is binary
            rows = list(manager.filter(same).order_by("-pk")[:_ROWS_OF_ONE])
        except (FieldError, ValueError, TypeError, ValidationError):
            return None
        return self._customer_record(rows) if rows and key else None

    def customers(self) -> Iterator[CustomerRecord]:
        manager, path = host_rows.manager(self.customer_model()), settings.CUSTOMER.get("KEY")
        if not path:
            merged = settings.CUSTOMER.get("MERGED_INTO")
            for row in manager.all().iterator(chunk_size=500):
                if not (merged and _key(row, merged)):
                    yield self._customer_record([row])
            return
        # Each customer once, from the newest rows that name them; text of either case is the same customer.
        rows = manager.order_by(Lower(Cast(_lookup(path), TextField())), "-pk").iterator(chunk_size=500)
        for key, together in groupby(rows, key=lambda row: _shared_key(row, path)):
            if key:
                yield self._customer_record(list(islice(together, _ROWS_OF_ONE)))

    def search(self, words: str, limit: int = 20) -> Iterable[CustomerRecord]:
        """By the database where ``CUSTOMER["NAME"]`` is a column, else by looking through all."""
        name = settings.CUSTOMER.get("NAME")
        try:
            named = Contains(Lower(_lookup(name)), words.lower())
            rows = host_rows.manager(self.customer_model()).filter(named)[:limit]
            return [] if not words else [self._customer_record([row]) for row in rows]
        except (FieldError, TypeError, AttributeError):
            return super().search(words, limit)

    def merged_into(self, key: str) -> str:
        """Where the row stays and points to its successor: ``CUSTOMER["MERGED_INTO"]``, a path."""
        path = settings.CUSTOMER.get("MERGED_INTO")
        row = _get(host_rows.manager(self.customer_model()), key) if path else None
        return _key(row, path) if row is not None else ""

    def _customer_record(self, rows: Sequence[Model]) -> CustomerRecord:
        """One customer from the rows that tell of them, the newest first: one row, unless ``KEY`` is set."""
        spec: Mapping[str, Any] = settings.CUSTOMER
        row = rows[0]
        # One row's addresses in order, then what only older rows know.
        addresses = dict.fromkeys(
            AddressRecord(kind=kind, value=value)
            for each in rows
            for name, kind in _ADDRESS_OPTIONS.items()
            for value in _texts(each, spec.get(name))
        )
        url = _first(row, spec.get("URL", "get_absolute_url"))
        return CustomerRecord(
            key=self.customer_key(row),
            name=_first(row, spec.get("NAME")) or _person_name(row),
            addresses=tuple(addresses),
            owner_key=_key(row, spec.get("OWNER")),
            team_key=_key(row, spec.get("TEAM")),
            language=_first(row, spec.get("LANGUAGE")),
            timezone=_first(row, spec.get("TIMEZONE")),
            url=url,
            tenant=_key(row, spec.get("TENANT")),
        )

    # --- employees
    def employee(self, user: Any) -> EmployeeRecord | None:
        if user is None or not getattr(user, "is_authenticated", True) or getattr(user, "pk", None) is None:
            return None
        spec: Mapping[str, Any] = settings.EMPLOYEE
        role = self.role(user)
        if not role:
            return None
        hours = _walk(user, spec["HOURS"]) if spec.get("HOURS") else None
        return EmployeeRecord(
            key=str(user.pk),
            name=_first(user, spec.get("NAME")) or _person_name(user),
            email=_first(user, spec.get("EMAIL", "email")),
            role=role,
            team_keys=tuple(_keys(user, spec.get("TEAMS"))),
            timezone=_first(user, spec.get("TIMEZONE")),
            language=_first(user, spec.get("LANGUAGE")),
            working_hours=hours if isinstance(hours, Mapping) else None,
            active=bool(getattr(user, "is_active", True)),
            tenant=_key(user, spec.get("TENANT")),
        )

    def role(self, user: Any) -> str:
        """The user's role: ``EMPLOYEE["ROLE"]`` (a path) through ``EMPLOYEE["ROLES"]`` (host's word → ours), or by
        group names in ``EMPLOYEE["ROLE_GROUPS"]`` (our role → group names); "employee" when neither is set."""
        spec: Mapping[str, Any] = settings.EMPLOYEE
        if spec.get("ROLE_GROUPS"):
            names = {str(getattr(group, "name", group)) for group in _items(user, spec.get("GROUPS", "groups"))}
            for role in ("compliance", "auditor", "supervisor", "employee"):
                if names & set(spec["ROLE_GROUPS"].get(role, ())):
                    return role
            return str(spec.get("DEFAULT_ROLE", ""))
        if spec.get("ROLE"):
            word = _first(user, spec["ROLE"])
            return str(spec.get("ROLES", {}).get(word, word))
        return str(spec.get("DEFAULT_ROLE", "employee"))

    def employees(self) -> Iterator[EmployeeRecord]:
        for user in host_rows.manager(get_user_model()).all().iterator(chunk_size=500):
            record = self.employee(user)
            if record is not None:
                yield record

    def user(self, key: str) -> Any:
        return _get(host_rows.manager(get_user_model()), key)

    # --- teams
    def team_model(self) -> type[Model]:
        """The host's team model. Raises ConfigurationError when the setting leads nowhere."""
        return self._model("TEAM")

    def teams(self) -> Iterable[TeamRecord]:
        spec: Mapping[str, Any] = settings.TEAM
        if not spec.get("MODEL"):
            return
        chiefs = {} if spec.get("SUPERVISOR") else self._chiefs()
        for row in host_rows.manager(self.team_model()).all():
            yield TeamRecord(
                key=str(row.pk),
                name=_first(row, spec.get("NAME", "name")) or str(row),
                supervisor_key=_key(row, spec.get("SUPERVISOR")) or next(iter(chiefs.get(str(row.pk), ())), ""),
                deputy_key=_key(row, spec.get("DEPUTY")) or next(iter(chiefs.get(str(row.pk), ())[1:]), ""),
                tenant=_key(row, spec.get("TENANT")),
            )

    def _chiefs(self) -> dict[str, list[str]]:
        """Members with the role supervisor, by team: for hosts whose teams do not name one."""
        found: dict[str, list[str]] = {}
        for record in self.employees():
            if record.role == "supervisor" and record.active:
                for key in record.team_keys:
                    found.setdefault(key, []).append(record.key)
        return found

    def _model(self, setting: str) -> type[Model]:
        label = getattr(settings, setting).get("MODEL")
        if not label:
            raise ConfigurationError(f'CONTACT_GUARD["{setting}"]["MODEL"] is not set')
        try:
            return apps.get_model(label)
        except (LookupError, ValueError) as error:
            raise ConfigurationError(f'CONTACT_GUARD["{setting}"]["MODEL"]: {error}') from error


_ADDRESS_OPTIONS = {
    "EMAIL": "email",
    "PHONE": "phone",
    "LINE": "line",
    "LINE_WORKS": "line_works",
    "WHATSAPP": "whatsapp",
}
_SEVERAL = re.compile(r"[,;\n]+")
#: Rows of one customer that are looked at where ``KEY`` joins several.
_ROWS_OF_ONE = 20


def _get(manager: Manager[Any], key: str) -> Any:
    """The row whose primary key is the text ``key``; None when there is none or the text can't be such a key."""
    if "\0" in key:
        return None  # PostgreSQL refuses the question, and with it the transaction
    try:
        return manager.get(pk=manager.model._meta.pk.to_python(key))
    except (ObjectDoesNotExist, ValueError, TypeError, OverflowError, ValidationError):
        return None


def _lookup(path: str) -> str:
    return path.replace(".", "__")


def _shared_key(row: Any, path: str) -> str:
    """What rows of the same customer have in common, whatever the case."""
    value = _walk(row, path)
    return str(getattr(value, "pk", "" if value is None else value)).strip().lower()


def _walk(row: Any, path: str) -> Any:
    value = row
    for name in path.split("."):
        if value is None:
            return None
        if isinstance(value, Mapping):
            value = value.get(name)
        elif isinstance(value, (Manager, QuerySet)):
            value = [_walk(item, name) for item in host_rows.every(value)]
        elif isinstance(value, list):
            value = [_walk(item, name) for item in value]
        else:
            value = host_rows.attribute(value, name)
        if callable(value) and not isinstance(value, Manager):
            value = value()
    return value


def _items(row: Any, paths: str | Sequence[str] | None) -> list[Any]:
    found: list[Any] = []
    for path in [paths] if isinstance(paths, str) else paths or ():
        value = _walk(row, path)
        if isinstance(value, (Manager, QuerySet)):
            value = list(host_rows.every(value))
        found.extend(value if isinstance(value, (list, tuple, set)) else [value])
    return [value for value in found if value not in (None, "")]


def _texts(row: Any, paths: str | Sequence[str] | None) -> list[str]:
    texts = [part.strip() for value in _items(row, paths) for part in _SEVERAL.split(str(value))]
    return list(dict.fromkeys(text for text in texts if text))


def _first(row: Any, paths: str | Sequence[str] | None) -> str:
    return next((str(value) for value in _items(row, paths)), "")


def _keys(row: Any, paths: str | Sequence[str] | None) -> list[str]:
    return [str(getattr(value, "pk", value)) for value in _items(row, paths)]


def _key(row: Any, paths: str | Sequence[str] | None) -> str:
    return next(iter(_keys(row, paths)), "")


def _person_name(row: Any) -> str:
    full = getattr(row, "get_full_name", None)
    try:
        return (full() if callable(full) else "") or str(row)
    except TypeError:  # Django's own users say their login name, which may be missing
        return f"{row._meta.verbose_name} {row.pk}"


@lru_cache(maxsize=1)
def _adapter() -> CRMAdapter:
    path = settings.CRM_ADAPTER
    try:
        adapter = import_string(path)()
    except ImportError as error:
        raise ConfigurationError(f'CONTACT_GUARD["CRM_ADAPTER"] = {path!r}: {error}') from error
    if not isinstance(adapter, CRMAdapter):
        raise ConfigurationError(f'CONTACT_GUARD["CRM_ADAPTER"] = {path!r} is not a CRMAdapter')
    return adapter


def adapter() -> CRMAdapter:
    """The host's adapter. Raises ConfigurationError when the setting leads nowhere."""
    return _adapter()


def has_contexts(host: CRMAdapter) -> bool:
    """Whether the host's rows are read tenant by tenant."""
    return type(host).tenants is not CRMAdapter.tenants


def is_outside(record: EmployeeRecord) -> bool:
    """Whether a table of users that is everybody's showed somebody who belongs to none of the tenants."""
    host = adapter()
    told = isinstance(host, DeclarativeAdapter) and settings.EMPLOYEE.get("TENANT")
    return bool(told) and not record.tenant and has_contexts(host)


_entered: ContextVar[str] = ContextVar("contact_guard_tenant", default="")


@contextmanager
def tenant(key: str) -> Iterator[None]:
    """Enter the host's context of a tenant; with "", which is what rows of nobody's have, nothing is entered."""
    before = _entered.set(key)
    try:
        with adapter().tenant(key) if key else nullcontext():
            yield
    finally:
        _entered.reset(before)


def current_tenant() -> str:
    """The tenant that was entered here, or in whose context the host says we are; empty: in none."""
    return _entered.get() or adapter().current_tenant()


def _forget(*, setting: str, **_: object) -> None:
    if setting == "CONTACT_GUARD":
        _adapter.cache_clear()


setting_changed.connect(_forget)

__all__ = [
    "AddressRecord",
    "CRMAdapter",
    "CustomerRecord",
    "DeclarativeAdapter",
    "EmployeeRecord",
    "TeamRecord",
    "adapter",
    "current_tenant",
    "has_contexts",
    "is_outside",
    "tenant",
]
