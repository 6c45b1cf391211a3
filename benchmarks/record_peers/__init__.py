"""An app for the benchmark alone."""
