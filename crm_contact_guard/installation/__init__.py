"""Diagnosis of a whole installation: what is missing or misconfigured, and how to fix it.

System checks (``checks/``) examine settings only; this package also examines the host's rows, pages, carriers and
running processes. ``contact_guard_check`` prints the results; ``contact_guard_init`` proposes initial settings.
"""
