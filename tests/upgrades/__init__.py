"""From a released version to this one, with data."""
