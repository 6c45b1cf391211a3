"""Working time: what a minute is for an employee, whether a customer may be disturbed, and when a message can be sent.

A pure calculation, without Django and database. ``python -m crm_contact_guard.policy --jsonl`` answers cases from
standard input; the app answers from the same functions.
"""

from crm_contact_guard.policy.working_time.answering import Answer, answer
from crm_contact_guard.policy.working_time.calendar import Employee, Roster, State
from crm_contact_guard.policy.working_time.holidays import UnknownCalendar
from crm_contact_guard.policy.working_time.quiet import Customer

__all__ = ["Answer", "Customer", "Employee", "Roster", "State", "UnknownCalendar", "answer"]
