"""Settings of that host. ``SCHEMAS_PLACE``: whether the app is in SHARED_APPS or in TENANT_APPS."""

import os

from tests.service_urls import database
from tests.settings import *  # noqa: F403
from tests.settings import CONTACT_GUARD, INSTALLED_APPS, MIDDLEWARE

DATABASES = {"default": {**database(os.environ["SCHEMAS_DATABASE_URL"]), "ENGINE": "django_tenants.postgresql_backend"}}
DATABASE_ROUTERS = ("django_tenants.routers.TenantSyncRouter",)
TENANT_MODEL, TENANT_DOMAIN_MODEL = "schemas.Company", "schemas.Domain"
TENANT_APPS = [*(app for app in INSTALLED_APPS if app != "crm_contact_guard")]
SHARED_APPS = ["django_tenants", "tests.services.schemas", "django.contrib.contenttypes", "django.contrib.staticfiles"]
(SHARED_APPS if os.environ.get("SCHEMAS_PLACE") == "shared" else TENANT_APPS).append("crm_contact_guard")
INSTALLED_APPS = list(dict.fromkeys([*SHARED_APPS, *TENANT_APPS]))
MIDDLEWARE = ["django_tenants.middleware.main.TenantMainMiddleware", *MIDDLEWARE]
ALLOWED_HOSTS = [".kaede.example"]
CONTACT_GUARD |= {
    "WORKING_HOURS": {"mon-sun": "00:00-24:00"},
    "CHANNELS": {
        **CONTACT_GUARD["CHANNELS"],
        "hook": {"BACKEND": "tests.signed_channel.SignedChannel", "OPTIONS": {"SECRET": "of the carrier"}},
    },
}
if os.environ.get("SCHEMAS_PLACE") == "shared":
    CONTACT_GUARD["CRM_ADAPTER"] = "tests.services.schemas.guard.Adapter"
