"""Settings of the site: it connects as a role that owns nothing (``ROWS_DATABASE_URL``)."""

import os

from tests.service_urls import database
from tests.settings import *  # noqa: F403
from tests.settings import CONTACT_GUARD, INSTALLED_APPS, MIDDLEWARE

DATABASES = {"default": database(os.environ["ROWS_DATABASE_URL"])}
INSTALLED_APPS = [*(app for app in INSTALLED_APPS if app != "tests.host"), "tests.services.row_security"]
MIDDLEWARE = [*MIDDLEWARE, "tests.services.row_security.site.OrganisationInToken"]
ROOT_URLCONF = "tests.services.row_security.site"
AUTH_USER_MODEL = "row_security.User"
CELERY_BROKER_URL = "memory://"
CONTACT_GUARD |= {
    "TASKS": os.environ.get("ROWS_TASKS", "inline"),
    "WORKING_HOURS": {"mon-sun": "00:00-24:00"},
    "CRM_ADAPTER": "tests.services.row_security.guard.Adapter",
    "CHANNELS": {
        **CONTACT_GUARD["CHANNELS"],
        "hook": {"BACKEND": "tests.signed_channel.SignedChannel", "OPTIONS": {"SECRET": "of the carrier"}},
    },
    "CUSTOMER": {
        "MODEL": "row_security.Contact",
        "NAME": "name",
        "EMAIL": "email",
        "PHONE": "phone",
        "OWNER": "owner",
        "TENANT": "org",
    },
    "EMPLOYEE": {
        "ROLE": "profiles.job",
        "ROLES": {"clerk": "employee", "chief": "supervisor"},
        "TEAMS": "profiles.branch",
        "TENANT": "profiles.org",
    },
    "TEAM": {"MODEL": "row_security.Branch", "NAME": "title", "SUPERVISOR": "head", "TENANT": "org"},
}
