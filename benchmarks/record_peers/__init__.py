"""An app for the benchmark only."""
