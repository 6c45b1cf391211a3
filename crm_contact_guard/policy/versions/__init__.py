"""Versions of the rules: which one is in force, how one is published, and how an old decision is replayed.

Without a published version, the rules of the settings are in force. They are recorded when a decision first rests on
them. Once a compliance officer has published a version, it replaces the settings' rules and thresholds.
"""
