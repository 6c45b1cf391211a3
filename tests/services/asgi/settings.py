"""Settings of the site that uvicorn serves: the browser's, without scripts to look at."""

import os

from tests.services.browser.settings import *  # noqa: F403
from tests.services.browser.settings import CONTACT_GUARD, MIDDLEWARE

DEBUG = False

CONTACT_GUARD["MONITORING_TOKEN"] = os.environ.get("SCRAPER_TOKEN", "")
MIDDLEWARE = ["tests.services.asgi.app.marked", *MIDDLEWARE]
CONTACT_GUARD["CHANNELS"]["hook"] = {
    "BACKEND": "tests.signed_channel.SignedChannel",
    "OPTIONS": {"SECRET": "of the carrier"},
}
