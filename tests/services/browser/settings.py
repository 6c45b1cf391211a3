"""Settings of the site that the browser visits: the tests' host, with a login and a guest's page."""

import os
from pathlib import Path

from tests.settings import *  # noqa: F403
from tests.settings import CONTACT_GUARD, MIDDLEWARE, TEMPLATES

DEBUG = True  # so that the development server serves the static files
ROOT_URLCONF = "tests.services.browser.urls"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["BROWSER_DATABASE"],
        "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL;"},
    }
}
TEMPLATES[0]["DIRS"] = [Path(__file__).parent / "templates"]
LOGIN_REDIRECT_URL = "/guard/"
CONTACT_GUARD["PUBLIC_URL"] = ""
CONTACT_GUARD["URGENT"] = {"BUTTON": True}
CONTACT_GUARD["LOGOUT_URL"] = "/logout/"
#: The host's own pages, and our panel in them, stand under the strictest policy: scripts and styles by nonce alone.
MIDDLEWARE = ["django.middleware.csp.ContentSecurityPolicyMiddleware", *MIDDLEWARE]
SECURE_CSP = {
    "default-src": ["'none'"],
    "script-src": ["<CSP_NONCE_SENTINEL>"],
    "style-src": ["<CSP_NONCE_SENTINEL>"],
    "img-src": ["'self'"],
    "connect-src": ["'self'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
}
