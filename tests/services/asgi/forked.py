"""Settings of the site behind gunicorn, in several processes."""

from tests.services.asgi.settings import *  # noqa: F403
from tests.services.asgi.settings import MIDDLEWARE

MIDDLEWARE = MIDDLEWARE[1:]  # the asynchronous one
