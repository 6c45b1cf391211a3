"""Where the tests' services are: a URL each, from the environment or, by default, on this machine."""

import os
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

POSTGRESQL = os.environ.get("TEST_POSTGRESQL_URL", "postgresql://root@127.0.0.1:5432/test")
MARIADB = os.environ.get("TEST_MARIADB_URL", "mysql://root@localhost/test?unix_socket=/run/mysqld/mysqld.sock")
REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/0")
RABBITMQ = os.environ.get("TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//")
CHROMIUM = os.environ.get("TEST_CHROMIUM", "/usr/bin/chromium")

ENGINES = {"postgresql": "django.db.backends.postgresql", "mysql": "django.db.backends.mysql"}


def database(url: str) -> dict[str, Any]:
    """Return Django's database settings for ``scheme://user:password@host:port/name?option=value``.

    Options go to the driver; ``host`` as an option names a socket's folder, as libpq has it.
    """
    parts = urlsplit(url)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    return {
        "ENGINE": ENGINES[parts.scheme],
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }
