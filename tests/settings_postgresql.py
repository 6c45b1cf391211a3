"""The tests' settings on PostgreSQL (``TEST_POSTGRESQL_URL``)."""

from tests.service_urls import POSTGRESQL, database
from tests.settings import *  # noqa: F403

DATABASES = {"default": database(POSTGRESQL)}
# A test database need not survive a power cut.
DATABASES["default"]["OPTIONS"]["options"] = "-c synchronous_commit=off"
