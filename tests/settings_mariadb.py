"""The tests' settings on MariaDB (``TEST_MARIADB_URL``)."""

from tests.service_urls import MARIADB, database
from tests.settings import *  # noqa: F403

DATABASES = {"default": database(MARIADB)}
DATABASES["default"]["OPTIONS"] |= {"charset": "utf8mb4", "isolation_level": "read committed"}
DATABASES["default"]["TEST"] = {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_bin"}
# The app names its unique constraints with conditions, which MariaDB leaves out; services keep those rules as well.
SILENCED_SYSTEM_CHECKS = ["models.W036"]
