"""No migrations: the benchmark creates these tables itself, after those they refer to."""
