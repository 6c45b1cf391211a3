"""x"""
from django.db import connections
from crm_contact_guard.record import trigger_state
from crm_contact_guard.verification.report import Report


def check(using: str, report: Report) -> None:
    for name in sorted(trigger_state.altered(connections[using])):
        report.add(f"trigger {name}", "is missing, disabled or changed: recorded rows can be altered")
    for name, why in trigger_state.obstacles(connections[using]):
        report.add(name, why)
