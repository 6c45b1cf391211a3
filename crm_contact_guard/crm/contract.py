"""What we ask of a host CRM: a dozen methods, and the records they give."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import islice
from typing import Any


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
        """Customers whose name holds ``words``, to find who somebody that wrote in is. Default: looks through all."""
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

    def problems(self) -> Iterable[tuple[str, str]]:
        """What is wrong with how the adapter is set up, each with the way to mend it. Asked by the system checks and
        before each sync, which does nothing while there is any. Reads no rows."""
        return ()

    def company_contacts(self) -> Mapping[str, Sequence[str]]:
        """Contacts that belong to the company, beside ``COMPANY_CONTACTS``: phones, emails, domains, handles, urls."""
        return {}
