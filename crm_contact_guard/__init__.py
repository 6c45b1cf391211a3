"""Keeps customer conversations on company channels, records them verifiably, and warns supervisors."""

__version__ = "0.1.0.dev0"
