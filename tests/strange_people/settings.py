"""Settings of a host whose customers are kept in the way that ``PEOPLE`` names, on ``PEOPLE_DATABASE_URL`` if given."""

import os
from typing import Any

from tests.service_urls import database
from tests.settings import *  # noqa: F403
from tests.settings import CONTACT_GUARD, INSTALLED_APPS

if os.environ.get("PEOPLE_DATABASE_URL"):
    DATABASES = {"default": database(os.environ["PEOPLE_DATABASE_URL"])}
INSTALLED_APPS = [*(app for app in INSTALLED_APPS if app != "tests.host"), "tests.strange_people"]
AUTH_USER_MODEL = "strange_people.User"
SHOP_BUYER_MODEL = "strange_people.OwnBuyer"
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"

PLAIN = {"NAME": "title", "EMAIL": "mail", "OWNER": "owner"}
#: How the host keeps its customers.
WAYS: dict[str, dict[str, Any]] = {
    "a child of another table": {"MODEL": "strange_people.Guest", **PLAIN},
    "a child under a UUID": {"MODEL": "strange_people.Patient", **PLAIN},
    "keys of text": {"MODEL": "strange_people.Coded", **PLAIN},
    "a swapped model": {"MODEL": SHOP_BUYER_MODEL, **PLAIN},
    "users": {"MODEL": AUTH_USER_MODEL, "NAME": "full_name", "EMAIL": "email", "OWNER": "keeper"},
}
CONTACT_GUARD = CONTACT_GUARD | {  # a new one: other tests import this module beside the settings it begins with
    "WORKING_HOURS": {"mon-sun": "00:00-24:00"},
    "CUSTOMER": WAYS[os.environ.get("PEOPLE", "users")],
    "EMPLOYEE": {"NAME": "full_name", "ROLE": "job", "ROLES": {"clerk": "employee", "guest": ""}},
    "TEAM": {},
}
