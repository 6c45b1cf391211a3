"""System checks: a numbered message with a hint for each configuration mistake.

``options`` checks the keys of ``CONTACT_GUARD``, ``extras`` the optional packages that they need, ``host`` the project
around the app, and ``record`` what protects the record. Importing this package registers all of them.
"""

from crm_contact_guard.checks.extras import check_reading, check_reencoding, check_semantic
from crm_contact_guard.checks.host import (
    check_adapter,
    check_addresses,
    check_database,
    check_engines,
    check_tasks,
    check_tenants,
    check_time_zones,
)
from crm_contact_guard.checks.options import (
    check_auto_answer,
    check_channels,
    check_company_rules,
    check_icalendar,
    check_names,
    check_notify,
    check_own_flags,
    check_policy,
    check_protection,
    check_quiet_hours,
    check_reader,
    check_templates,
    check_urgent,
    check_waiting,
)
from crm_contact_guard.checks.record import check_signing_key, check_texts, check_triggers, check_witnesses

__all__ = [
    "check_adapter", "check_addresses", "check_auto_answer", "check_channels", "check_company_rules", "check_database",
    "check_engines", "check_icalendar", "check_names", "check_notify", "check_own_flags", "check_policy",
    "check_protection", "check_quiet_hours", "check_reader", "check_reading", "check_reencoding", "check_semantic",
    "check_signing_key", "check_tasks", "check_templates", "check_tenants", "check_texts", "check_time_zones",
    "check_triggers", "check_urgent", "check_waiting", "check_witnesses",
]  # fmt: skip
