"""Working time: an employee's state at a given minute, a customer's quiet hours, and when a message can be sent.

This package only calculates, and uses neither Django nor the database. ``python -m crm_contact_guard.policy --jsonl``
answers cases from standard input with the same functions that the app uses.
"""

from crm_contact_guard.policy.working_time.answering import Answer, answer
from crm_contact_guard.policy.working_time.calendar import Employee, Roster, State
from crm_contact_guard.policy.working_time.holidays import UnknownCalendar
from crm_contact_guard.policy.working_time.quiet import Customer

__all__ = ["Answer", "Customer", "Employee", "Roster", "State", "UnknownCalendar", "answer"]
