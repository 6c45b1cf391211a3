"""The methods that a host CRM's adapter provides, and the records they return."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import islice
from typing import Any


@dataclass(frozen=True, kw_only=True)
class AddressRecord:
    """One address of a customer. ``kind``: name of a channel's ``address_kind``, such as "email", "phone" or "line"."""

    kind: str
    value: str


@dataclass(frozen=True, kw_only=True)
class CustomerRecord:
    """A customer of the host. ``owner_key`` is the key of the host user in charge of them."""

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
    """A host user. ``role`` is employee, supervisor, compliance or auditor; "" means no access.

    ``calendar`` has breaks, roster, leave, on-call duty and holidays of this person's place of work, in the format of
    docs/working_time.md.
    """

    key: str
    name: str
    email: str = ""
    role: str = "employee"
    team_keys: tuple[str, ...] = ()
    timezone: str = ""
    language: str = ""
    working_hours: Mapping[str, str] | None = None
    calendar: Mapping[str, Any] | None = None
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
    """Interface to a host. Subclass it, or use ``DeclarativeAdapter`` and settings.

    Every method may be overridden. Keys are opaque text.
    """

    def tenant(self, key: str) -> AbstractContextManager[None]:
        """Enter the host's context of a tenant (row-level security, time zone) and restore the previous one on exit.

        Tasks run inside it. Never called with "": messages of unknown senders have no tenant until they are linked.
        """
        return nullcontext()

    def tenants(self) -> Iterable[str]:
        """Keys of all tenants whose context the directory sync must enter, one after the other.

        Not needed if the host's rows can be read without a context; the records then contain their tenant.
        """
        return ("",)

    def current_tenant(self) -> str:
        """The tenant of this request or process, as set by the host's middleware; empty if there is none.

        Used for a new row whose record contains no tenant, and to choose among the tenants of a person.
        """
        return ""

    def customer_key(self, customer: object) -> str:
        """The key of a customer object of the host."""
        raise NotImplementedError("CRMAdapter.customer_key")

    def customer(self, key: str) -> CustomerRecord | None:
        """The customer with this key; None if there is none."""
        raise NotImplementedError("CRMAdapter.customer")

    def customers(self) -> Iterator[CustomerRecord]:
        """All customers, for the directory sync. Must stream."""
        raise NotImplementedError("CRMAdapter.customers")

    def search(self, words: str, limit: int = 20) -> Iterable[CustomerRecord]:
        """Customers whose name contains ``words``, to link an unknown sender. The default reads all customers."""
        matches = (record for record in self.customers() if words.lower() in record.name.lower())
        return list(islice(matches, limit))

    def merged_into(self, key: str) -> str:
        """The key of the customer that the host merged this one into; empty if it was deleted."""
        return ""

    def employee(self, user: Any) -> EmployeeRecord | None:
        """The employee of a host user; None if the user has no access."""
        raise NotImplementedError("CRMAdapter.employee")

    def employees(self) -> Iterator[EmployeeRecord]:
        """All employees, for the directory sync."""
        raise NotImplementedError("CRMAdapter.employees")

    def user(self, key: str) -> Any:
        """The host's user object with this key; None if there is none."""
        raise NotImplementedError("CRMAdapter.user")

    def teams(self) -> Iterable[TeamRecord]:
        """All teams."""
        return ()

    def problems(self) -> Iterable[tuple[str, str]]:
        """Configuration problems as pairs of problem and fix. Must not read rows.

        Used by the system checks, and before each sync, which does not run if there are any.
        """
        return ()

    def company_contacts(self) -> Mapping[str, Sequence[str]]:
        """Contacts of the company in addition to ``COMPANY_CONTACTS``: phones, emails, domains, handles, urls."""
        return {}
