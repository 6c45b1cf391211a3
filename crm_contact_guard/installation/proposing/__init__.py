"""Propose settings for ``contact_guard_init``, guessed from the names and types in the host's models."""
