"""The tenant entered by this app. Tenants entered by the host are known to the adapter."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

#: A tenant's key; empty if none was entered.
ENTERED: Final[ContextVar[str]] = ContextVar("contact_guard_tenant", default="")
