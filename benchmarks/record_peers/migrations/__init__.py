"""No migrations: the benchmark makes these tables itself, after those they point at."""
