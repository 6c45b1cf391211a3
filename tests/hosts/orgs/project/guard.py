"""What the company writes beside its settings: docs/installation.md, Tenants, and Middleware that wants a login."""

from contextlib import contextmanager

from common.middleware.rls_context import RequireOrgContext
from common.models import Org
from common.tasks import clear_rls_context, set_rls_context
from django.db import connection

from crm_contact_guard.crm import DeclarativeAdapter


class Adapter(DeclarativeAdapter):
    def tenants(self):
        if connection.vendor != "postgresql":
            return [""]  # no row security: all rows are there, and say themselves whose they are
        return [str(pk) for pk in Org.objects.values_list("pk", flat=True)]

    @contextmanager
    def tenant(self, key):
        set_rls_context(key)
        try:
            yield
        finally:
            clear_rls_context()


class RequireOrg(RequireOrgContext):
    EXEMPT_PATHS = [*RequireOrgContext.EXEMPT_PATHS, "/guard/"]
